"""The mirror's file: SQLite, its schema, one writer, many readers, and the search index."""
