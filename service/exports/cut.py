"""Whether an export is worth several workers, and into which ranges its table is cut for them."""

from typing import Any

from psycopg import sql

from service.exports.plan import ExportPlan
from service.exports.query import Blocks
from service.exports.snapshot import Snapshot

#: With fewer ranges, who helps comes too late.
_RANGES_LEAST = 4
#: More ranges balance the work no better.
_RANGES_MOST = 512
#: Ranges are blocks of the whole table, so most of its rows should be wanted; else an index finds them faster.
_SHARE_LEAST = 0.25

_SIZES = sql.SQL(
    "SELECT pg_relation_size(oid), current_setting('block_size')::bigint, reltuples "
    "FROM pg_class WHERE oid = {}::regclass"
)


def cut_table(plan: ExportPlan, snapshot: Snapshot, range_bytes: int) -> list[Blocks]:
    """Ranges of blocks that hold all rows of an export, none if one worker is to read them.

    The table is held as it is: nothing that moves its rows to other blocks can run while the snapshot is open.
    """
    if plan.form.is_one_stream:
        return []
    connection = snapshot.connection
    connection.execute(sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE").format(sql.Identifier(plan.query.table)))
    sizes = connection.execute(_SIZES.format(sql.Literal(plan.query.table))).fetchone() or (0, 8192, 0)
    relation_bytes, block_bytes, table_rows = sizes
    count = min(relation_bytes // range_bytes, _RANGES_MOST)
    is_worth_it = count >= _RANGES_LEAST and _wanted_rows(plan, snapshot) >= _SHARE_LEAST * table_rows
    # Guesses may be wrong, and an object that several workers write has at least one part with something in it.
    if not is_worth_it or not _has_rows(plan, snapshot):
        return []
    blocks = relation_bytes // block_bytes
    bounds = [blocks * number // count for number in range(count)]
    return [Blocks(first, end) for first, end in zip(bounds, [*bounds[1:], None], strict=True)]


def _has_rows(plan: ExportPlan, snapshot: Snapshot) -> bool:
    found = snapshot.connection.execute(sql.SQL("SELECT EXISTS ({})").format(plan.query.select())).fetchone()
    return bool(found and found[0])


def _wanted_rows(plan: ExportPlan, snapshot: Snapshot) -> float:
    """As the planner guesses."""
    explained: Any = snapshot.connection.execute(
        sql.SQL("EXPLAIN (FORMAT JSON) {}").format(plan.query.select())
    ).fetchone()
    return float(explained[0][0]["Plan"]["Plan Rows"])
