"""Reference data of the field: document types, domains, languages, licences."""
