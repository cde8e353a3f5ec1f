"""Measure keys, partitions and indexes for the entity tables on an empty PostgreSQL 18 database.

Usage: measure.py [DSN] [part ...]   (without DSN: WHARF_DATABASE_URL; parts: keys, trend, rows, time, ids)
Sizes: BASE_ROWS, TREND_ROWS, LOAD_ROWS (multiples of 50,000) in the environment. Turn autovacuum off while it runs.

Each part drops and makes its own tables. All variants of a part get the same rows in turn, round by
round, and the printed figures are medians over the rounds. WAL is counted from a fresh checkpoint, so
it holds the full-page images that a random key costs.
"""

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from statistics import median
from typing import Any

import psycopg

Connection = psycopg.Connection[tuple[Any, ...]]

ROUNDS = 3
ROWS = int(os.environ.get("LOAD_ROWS", "300_000"))
CHUNK = 50_000
BASE = int(os.environ.get("BASE_ROWS", "5_000_000"))
TREND = int(os.environ.get("TREND_ROWS", "20_000_000"))

TEXT_SCOPE = "'tenant_01K3ZQ8Y5T7WX2V4N6M8P0R1S3' AS tenant_id, 'env_01K3ZQ8Y5T7WX2V4N6M8P0R1S3' AS environment_id"
ORDERED = "'evt_' || upper(lpad(to_hex(n), 10, '0') || left(md5(n::text), 16))"
RANDOM = "md5(n::text)::uuid::text"
SPREAD_TIME = "timestamptz '2026-10-01' + (hashint8(n) & 2147483647) % 2592000 * interval '1 second'"
RISING_TIME = "timestamptz '2026-10-01' + n * interval '0.2 second'"

EVENT_COLUMNS = {
    "import_id": "bigint",
    "import_row": "bigint",
    "timestamp": "timestamptz NOT NULL",
    "ingested_at": "timestamptz NOT NULL",
    "scope_id": "integer NOT NULL",
    "event_id": 'text COLLATE "C" NOT NULL',
    "event_name": "text",
    "external_customer_id": "text",
    "source": "text",
    "properties": "jsonb",
}
EVENT_VALUES = {
    "import_id": "n / 1000000",
    "import_row": "n % 1000000",
    "timestamp": RISING_TIME,
    "ingested_at": "timestamptz '2026-11-22'",
    "scope_id": "1",
    "event_id": ORDERED,
    "event_name": "'api_call'",
    "external_customer_id": "'customer-' || n % 100000",
    "source": "'gateway'",
    "properties": """format('{"model": "m-%s", "tokens": %s, "region": "eu-west-1"}', n % 7, n % 5000)""",
}
THIN = ("event_name", "external_customer_id", "source", "properties")


@dataclass(frozen=True)
class Variant:
    """One table layout: its columns, how a row's values are made from n, and its indexes."""

    name: str
    columns: dict[str, str]
    values: dict[str, str]
    key: str
    partitions: int = 0
    indexes: tuple[str, ...] = ()
    fed: tuple[str, ...] = ()

    @property
    def table(self) -> str:
        return "v_" + self.name.replace(" ", "_")

    @property
    def copied(self) -> tuple[str, ...]:
        """The columns that the client sends; the others have a default."""
        return self.fed or tuple(self.columns)


@dataclass
class Figures:
    """The samples of one variant, by measure."""

    samples: dict[str, list[float]] = field(default_factory=dict)

    def add(self, measure: str, value: float) -> None:
        self.samples.setdefault(measure, []).append(value)

    def line(self) -> str:
        return "  ".join(f"{measure} {median(values):.4g}" for measure, values in self.samples.items())


def events(
    name: str,
    key: str = "scope_id, event_id",
    *,
    event_id: str = ORDERED,
    **more: Any,
) -> Variant:
    """Describe an events table in the recommended column order."""
    return Variant(name, EVENT_COLUMNS, EVENT_VALUES | {"event_id": event_id}, key, **more)


def key_variants() -> list[Variant]:
    """List the widths, keys and partitionings of events to compare."""
    wide_columns = {name: kind for name, kind in EVENT_COLUMNS.items() if name != "scope_id"}
    wide = {
        "tenant_id": 'text COLLATE "C" NOT NULL',
        "environment_id": 'text COLLATE "C" NOT NULL',
    }
    digest = {"digest": "uuid NOT NULL"}

    def wide_variant(name: str, event_id: str) -> Variant:
        tenant, environment = (part.split(" AS ")[0] for part in TEXT_SCOPE.split(", "))
        values = EVENT_VALUES | {
            "tenant_id": tenant,
            "environment_id": environment,
            "event_id": event_id,
        }
        return Variant(name, wide_columns | wide, values, "tenant_id, environment_id, event_id")

    def digest_variant(name: str, event_id: str) -> Variant:
        values = EVENT_VALUES | {
            "event_id": event_id,
            "digest": f"md5({event_id})::uuid",
        }
        return Variant(name, EVENT_COLUMNS | digest, values, "scope_id, digest")

    return [
        wide_variant("wide ordered", ORDERED),
        events("scope ordered"),
        digest_variant("digest ordered", ORDERED),
        events("hash16 ordered", partitions=16),
        events("hash64 ordered", partitions=64),
        events("scope random", event_id=RANDOM),
        events("hash16 random", event_id=RANDOM, partitions=16),
    ]


def create(connection: Connection, variant: Variant, base: Iterable[str] = (), rows: int = 0) -> None:
    """Make the table with `rows` base rows; the base columns not in `base` stay empty."""
    columns = ", ".join(f"{name} {kind}" for name, kind in variant.columns.items())
    by = f" PARTITION BY HASH ({variant.key.split(', ')[-1]})" if variant.partitions else ""
    connection.execute(f"DROP TABLE IF EXISTS {variant.table}")
    connection.execute(f"CREATE TABLE {variant.table} ({columns}){by}")
    for number in range(variant.partitions):
        connection.execute(
            f"CREATE TABLE {variant.table}_{number} PARTITION OF {variant.table} "
            f"FOR VALUES WITH (MODULUS {variant.partitions}, REMAINDER {number})"
        )
    if rows:
        names = [name for name in variant.copied if name in base]
        values = ", ".join(cast(variant, name) for name in names)
        connection.execute(
            f"INSERT INTO {variant.table} ({', '.join(names)}) SELECT {values} FROM generate_series(1, {rows}) n"
        )
    # A key that came in at random leaves pages about 70 % full.
    fill = 90 if "ordered" in variant.name or not rows else 70
    connection.execute(
        f"CREATE UNIQUE INDEX {variant.table}_key ON {variant.table} ({variant.key}) WITH (fillfactor = {fill})"
    )
    for index in variant.indexes:
        connection.execute(f"CREATE INDEX ON {variant.table} {index}")
    connection.execute(f"CREATE TEMP TABLE s_{variant.table} (LIKE {variant.table}) ON COMMIT DELETE ROWS")
    for name in set(variant.columns) - set(variant.copied):
        connection.execute(f"ALTER TABLE s_{variant.table} DROP COLUMN {name}")


def cast(variant: Variant, name: str) -> str:
    return f"({variant.values[name]})::{variant.columns[name].split()[0]}"


def feed(connection: Connection, variant: Variant, first: int) -> list[bytes]:
    """Render ROWS rows as COPY text, one item per chunk."""
    values = ", ".join(variant.values[name] for name in variant.copied)
    chunks = []
    for start in range(first, first + ROWS, CHUNK):
        query = f"COPY (SELECT {values} FROM generate_series({start}, {start + CHUNK - 1}) n) TO STDOUT"
        with connection.cursor().copy(query) as copy:
            chunks.append(b"".join(copy))
    return chunks


def copy_in(connection: Connection, table: str, columns: Iterable[str], data: Iterable[bytes]) -> None:
    with connection.cursor().copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
        for block in data:
            copy.write(block)


def straight(connection: Connection, variant: Variant, chunks: list[bytes]) -> None:
    """Copy all rows in one transaction: the limit to compare with."""
    copy_in(connection, variant.table, variant.copied, chunks)


def merge(connection: Connection, variant: Variant, chunks: list[bytes]) -> None:
    """Stage and merge each chunk in a transaction of its own, as an import does."""
    columns = ", ".join(variant.copied)
    changes = ", ".join(f"{name} = excluded.{name}" for name in variant.copied if name not in variant.key)
    guard = (
        "WHERE t.import_id = excluded.import_id AND t.import_row < excluded.import_row"
        if "import_id" in variant.columns
        else ""
    )
    statement = (
        f"WITH merged AS (INSERT INTO {variant.table} AS t ({columns}) SELECT {columns} FROM s_{variant.table} "
        f"ORDER BY {variant.key} ON CONFLICT ({variant.key}) DO UPDATE SET {changes} {guard} "
        f"RETURNING old IS NULL AS created) SELECT count(*) FILTER (WHERE created), count(*) FROM merged"
    )
    for chunk in chunks:
        with connection.transaction():
            copy_in(connection, f"s_{variant.table}", variant.copied, [chunk])
            connection.execute(statement)


def load(connection: Connection, variant: Variant, first: int, figures: Figures) -> int:
    """Measure one straight copy and one merge of new rows; return the next unused n."""
    loads: tuple[tuple[str, Callable[[Connection, Variant, list[bytes]], None]], ...] = (
        ("copy", straight),
        ("merge", merge),
    )
    for name, way in loads:
        chunks = feed(connection, variant, first)
        first += ROWS
        connection.execute("CHECKPOINT")
        before = value(connection, "SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn")
        seconds = timed(partial(way, connection, variant, chunks))
        after = value(connection, "SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn")
        figures.add(f"{name} krows/s", ROWS / seconds / 1000)
        figures.add(f"{name} WAL B/row", (after - before) / ROWS)
    return first


def sizes(connection: Connection, variant: Variant, figures: Figures) -> None:
    partitions = f"SELECT inhrelid FROM pg_inherits WHERE inhparent = '{variant.table}'::regclass"
    leaves = f"FROM pg_class WHERE oid = '{variant.table}'::regclass OR oid IN ({partitions})"
    rows = value(connection, f"SELECT count(*) FROM {variant.table}")
    for name, function in (("heap", "pg_table_size"), ("index", "pg_indexes_size")):
        size = value(connection, f"SELECT sum({function}(oid)) {leaves}")
        figures.add(f"{name} B/row", size / rows)


def value(connection: Connection, query: str) -> float:
    row = connection.execute(query).fetchone()
    return float(row[0]) if row else 0.0


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def copy_out(connection: Connection, query: str) -> None:
    with connection.cursor().copy(f"COPY ({query}) TO STDOUT") as copy:
        for _ in copy:
            pass


def compare(connection: Connection, variants: list[Variant], rows: int, base: Iterable[str]) -> Iterator[Variant]:
    """Load all variants in turn, print the medians, and yield each before its table is dropped."""
    figures = {variant.name: Figures() for variant in variants}
    following = {variant.name: rows + 1 for variant in variants}
    for variant in variants:
        create(connection, variant, base, rows)
    for _ in range(ROUNDS):
        for variant in variants:
            following[variant.name] = load(connection, variant, following[variant.name], figures[variant.name])
    for variant in variants:
        sizes(connection, variant, figures[variant.name])
        print(f"{variant.name:22} {figures[variant.name].line()}", flush=True)
        yield variant
        connection.execute(f"DROP TABLE {variant.table}, s_{variant.table}")


def measure_keys(connection: Connection, rows: int = BASE, only: tuple[str, ...] = ()) -> None:
    """Compare width of tenancy, kind of key and partitions over thin base rows (only the index matters)."""
    variants = [variant for variant in key_variants() if not only or variant.name in only]
    thin = [name for name in (*EVENT_COLUMNS, "tenant_id", "environment_id", "digest") if name not in THIN]
    for _ in compare(connection, variants, rows, thin):
        pass


def measure_trend(connection: Connection) -> None:
    """Repeat the main candidates over a larger base."""
    measure_keys(connection, TREND, ("scope ordered", "scope random", "hash16 random"))


def measure_rows(connection: Connection) -> None:
    """Compare the cost of import_id and import_row, and of an unaligned column order."""
    bare = {name: kind for name, kind in EVENT_COLUMNS.items() if not name.startswith("import_")}
    mixed = (
        "event_name",
        "import_id",
        "scope_id",
        "timestamp",
        "source",
        "import_row",
        "external_customer_id",
    )
    order = (*mixed, "ingested_at", "event_id", "properties")
    for _ in compare(
        connection,
        [
            events("full ordered"),
            Variant("bare ordered", bare, EVENT_VALUES, "scope_id, event_id"),
            Variant(
                "mixed ordered",
                {name: EVENT_COLUMNS[name] for name in order},
                EVENT_VALUES,
                "scope_id, event_id",
            ),
        ],
        0,
        (),
    ):
        pass


def window(connection: Connection, variant: Variant) -> tuple[Any, Any]:
    """Give the start and end of 1 % of the table's time, from its middle."""
    span = f"SELECT min(timestamp), max(timestamp) - min(timestamp) FROM {variant.table}"
    query = f"SELECT low + span * 0.5, low + span * 0.51 FROM ({span}) AS t (low, span)"
    row = connection.execute(query).fetchone()
    return (row[0], row[1]) if row else (None, None)


def measure_time(connection: Connection) -> None:
    """Compare the indexes for time windows, with rising times and with times spread over a month."""
    indexes = {
        "none": (),
        "brin": ("USING brin (timestamp) WITH (pages_per_range = 32)",),
        "btree": ("(scope_id, timestamp)",),
    }
    variants = [
        Variant(f"{name} {order}", EVENT_COLUMNS, EVENT_VALUES | {"timestamp": moment, "scope_id": "1 + n % 4"},
                "scope_id, event_id", 0, index)
        for order, moment in (("rising ordered", RISING_TIME), ("spread ordered", SPREAD_TIME))
        for name, index in indexes.items()
    ]  # fmt: skip
    for variant in compare(connection, variants, 1_000_000, tuple(EVENT_COLUMNS)):
        connection.execute(f"VACUUM ANALYZE {variant.table}")
        low, high = window(connection, variant)
        read = f"SELECT * FROM {variant.table} WHERE scope_id = 1 AND timestamp >= '{low}' AND timestamp < '{high}'"
        count = value(connection, f"SELECT count(*) FROM ({read}) AS r")
        seconds = median(timed(partial(copy_out, connection, read)) for _ in range(ROUNDS))
        print(
            f"    window of 1 %: {count:.0f} rows in {seconds * 1000:.1f} ms",
            flush=True,
        )


def ulid_function() -> str:
    """Write the fastest encoder found: five bytes at a time, bits moved apart in three steps, one translate."""
    steps = "".join(
        f"  {group} := (({group} & 1099510579200) << 12) | ({group} & 1048575);\n"
        f"  {group} := (({group} & 4499201581906944) << 6) | ({group} & 4393751544831);\n"
        f"  {group} := (({group} & 279227437569541088) << 3) | ({group} & 8725857424048159);\n"
        for group in "bcd"
    )
    ascii_groups = " || ".join(f"({group} | 4629771061636907072)::bytea" for group in "bcd")
    return f"""
CREATE OR REPLACE FUNCTION ulid(id uuid) RETURNS text IMMUTABLE STRICT PARALLEL SAFE LANGUAGE plpgsql AS $$
DECLARE
  raw bytea := uuid_send(id);
  a bigint := get_byte(raw, 0);
  b bigint := substring(raw, 2, 5)::bigint;
  c bigint := substring(raw, 7, 5)::bigint;
  d bigint := substring(raw, 12, 5)::bigint;
BEGIN
{steps}
  RETURN translate(
    convert_from(substring((((a & 224) << 3) | (a & 31) | 16448)::bytea, 7, 2) || {ascii_groups}, 'UTF8'),
    '@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_', '0123456789ABCDEFGHJKMNPQRSTVWXYZ');
END $$
"""


def customer_variants() -> list[Variant]:
    """List the kinds of id and of primary key of customers to compare."""
    rest = {
        "scope_id": "integer NOT NULL",
        "external_id": 'text COLLATE "C" NOT NULL',
        "name": "text NOT NULL",
        "email": "text",
        "address_city": "text",
        "metadata": "jsonb",
    }
    times = {
        "import_id": "bigint",
        "import_row": "bigint",
        "created_at": "timestamptz NOT NULL DEFAULT now()",
        "updated_at": "timestamptz NOT NULL DEFAULT now()",
    }
    values = {
        "id": "'cust_01K3' || upper(lpad(to_hex(n), 8, '0') || left(md5(n::text), 14))",
        "import_id": "n / 1000000",
        "import_row": "n % 1000000",
        "scope_id": "1",
        "external_id": "'customer-' || lpad(n::text, 9, '0')",
        "name": "'Customer number ' || n",
        "email": "'billing+' || n || '@example.com'",
        "address_city": "'Rotterdam'",
        "metadata": """format('{"segment": "%s"}', n % 9)""",
    }
    text = times | rest | {"id": 'text COLLATE "C" NOT NULL'}
    made = times | rest | {"id": "text COLLATE \"C\" NOT NULL DEFAULT 'cust_' || ulid(uuidv7())"}
    uuid = times | {"id": "uuid NOT NULL DEFAULT uuidv7()"} | rest
    sent = ("import_id", "import_row", *rest)
    key = "scope_id, external_id"
    return [
        Variant("text id", text, values, key, 0, ("(id)",), (*sent, "id")),
        Variant("text id made in SQL", made, values, key, 0, ("(id)",), sent),
        Variant("uuid id", uuid, values, key, 0, ("(id)",), sent),
        Variant("text id unindexed", text, values, key, 0, (), (*sent, "id")),
        Variant("uuid id unindexed", uuid, values, key, 0, (), sent),
    ]


def measure_ids(connection: Connection) -> None:
    """Compare text ids with uuid ids shown as ULID, with and without an index on id."""
    connection.execute(ulid_function())
    for variant in compare(connection, customer_variants(), 0, ()):
        shown = "'cust_' || ulid(id)" if variant.columns["id"].startswith("uuid") else "id"
        read = f"SELECT external_id, name, email, address_city, metadata, {shown}, created_at FROM {variant.table}"
        rows = value(connection, f"SELECT count(*) FROM {variant.table}")
        seconds = median(timed(partial(copy_out, connection, read)) for _ in range(ROUNDS))
        print(f"    copy out: {rows / seconds / 1000:.0f} krows/s", flush=True)


PARTS = {
    "keys": measure_keys,
    "trend": measure_trend,
    "rows": measure_rows,
    "time": measure_time,
    "ids": measure_ids,
}


def main(arguments: list[str]) -> None:
    """Run the parts named on the command line, or all."""
    named = [argument for argument in arguments if argument in PARTS]
    dsn = next(
        (argument for argument in arguments if argument not in PARTS),
        os.environ.get("WHARF_DATABASE_URL", ""),
    )
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("SET client_min_messages = warning")
        for part in named or PARTS:
            print(f"== {part}", flush=True)
            PARTS[part](connection)


if __name__ == "__main__":
    main(sys.argv[1:])
