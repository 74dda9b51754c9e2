"""Tables in: files of awards, recipients and dumps, to clean records and rejects.

Ask `awards` and `recipients` for tables in DuckDB, `dumps` for the tables of a PostgreSQL dump,
`sources` for which reader a file takes, `handed_files` for a fixture as files that an enricher is given.
"""
