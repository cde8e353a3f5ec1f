"""The formats of an export object: how PostgreSQL writes them."""

from psycopg import sql

from service.exports.query import ExportQuery


def copy_csv(query: ExportQuery) -> sql.Composed:
    """A COPY that writes CSV with a header, which an import reads back to the same rows.

    Text is always quoted: unquoted, a cell's leading white space would be trimmed by the reader.
    """
    quoted = sql.SQL(", ").join(sql.Identifier(column) for column in query.text_columns)
    return sql.SQL("COPY ({}) TO STDOUT (FORMAT csv, HEADER true, FORCE_QUOTE ({}))").format(query.select, quoted)
