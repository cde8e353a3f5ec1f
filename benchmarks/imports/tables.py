"""The tables before each run: empty, or full of rows that an earlier import wrote; at rest in both cases."""

import subprocess
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from benchmarks.imports.samples import CUSTOMER_COLUMNS, EVENT_COLUMNS
from service.db.migrate import upgrade
from service.stack.binaries import find_postgres

RIVALS = "rivals"
COLUMNS = {"customers": CUSTOMER_COLUMNS, "events": EVENT_COLUMNS}


def make_rivals_database(url: str) -> str:
    """A database with the same tables and indexes beside Wharf's own, once; gives its URL."""
    rivals = url.rpartition("/")[0] + f"/{RIVALS}"
    with psycopg.connect(url, autocommit=True) as connection:
        known = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [RIVALS]).fetchone()
        if known is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(RIVALS)))
    upgrade(rivals)
    return rivals


def reset_table(url: str, table: str, filled_from: Path | None = None) -> None:
    """Empty a table and fill it from a file, as if long ago: vacuumed, all of it on disk."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("TRUNCATE {}").format(sql.Identifier(table)))
    if filled_from:
        run_psql(url, copy_command(table, filled_from))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("VACUUM (ANALYZE) {}").format(sql.Identifier(table)))
        connection.execute("CHECKPOINT")


def copy_command(table: str, path: Path, into: str | None = None) -> str:
    r"""The `\copy` of psql that loads a table file, into the table or one with the same columns."""
    return f"\\copy {into or table} ({', '.join(COLUMNS[table])}) FROM '{path}' CSV"


def run_psql(url: str, *commands: str) -> None:
    """Run commands in one session of psql, in one transaction."""
    words = [str(find_postgres("psql")), make_conninfo(url), "--no-psqlrc", "--quiet", "--single-transaction"]
    words += ["--set", "ON_ERROR_STOP=1"]
    for command in commands:
        words += ["--command", command]
    subprocess.run(words, check=True)


def count_rows(url: str, table: str) -> int:
    """How many rows a table has."""
    with psycopg.connect(url) as connection:
        row = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone()
    return int(row[0]) if row else 0
