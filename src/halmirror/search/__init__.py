"""What a search is: words folded, queries, filters, and where a text has what was asked for."""
