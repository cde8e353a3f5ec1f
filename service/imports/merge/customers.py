"""Customers: update or create by external_id."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from service.db.models import Task
from service.ids import new_id
from service.imports.merge.folding import FoldedRow, fold_rows
from service.imports.merge.result import Merged
from service.imports.merge.staging import stage_rows
from service.imports.validate import ValidRow
from service.tracking.counters import Counters

_TEXT_COLUMNS = (
    "external_id",
    "name",
    "email",
    "address_line1",
    "address_line2",
    "address_city",
    "address_state",
    "address_postal_code",
    "address_country",
)
_STAGING = {
    "id": "text",
    "row": "bigint",
    "folded": "bigint",
    **dict.fromkeys(_TEXT_COLUMNS, 'text COLLATE "C"'),
    "metadata": "jsonb",
}

_KEPT_WHEN_BLANK = ", ".join(f"{column} = COALESCE(excluded.{column}, customers.{column})" for column in _TEXT_COLUMNS)
_LISTED = ", ".join(_TEXT_COLUMNS)

_UPSERT = f"""
    INSERT INTO customers (id, scope_id, import_id, import_row, {_LISTED}, metadata)
    SELECT id, :scope_id, :import_id, row, {_LISTED}, COALESCE(metadata, '{{}}')
    FROM staging ORDER BY external_id
    ON CONFLICT (scope_id, external_id) DO UPDATE
    SET {_KEPT_WHEN_BLANK}, metadata = customers.metadata || excluded.metadata,
        import_id = excluded.import_id, import_row = excluded.import_row, updated_at = now()
"""

#: A key that another chunk of this task has written is not written again: which of the two rows comes
#: later in the file may differ from which came first, so the row waits for the end of the task. The
#: WHERE is seen under the row's lock, so two chunks that merge at once cannot both pass.
_MERGE = text(f"""
    WITH merged AS (
        {_UPSERT}
        WHERE customers.import_id <> excluded.import_id
        RETURNING new.import_row AS row, old.id IS NULL AS created
    ), aside AS (
        INSERT INTO rows_set_aside (task_id, row, key, "values")
        SELECT :task_id, row, external_id, to_jsonb(staging) - '{{id,row,folded}}'::text[] FROM staging
        WHERE NOT EXISTS (SELECT FROM merged WHERE merged.row = staging.row)
        RETURNING row
    )
    SELECT (SELECT count(*) FROM merged WHERE created), (SELECT sum(folded) FROM staging),
           (SELECT count(*) FROM aside)
""")

#: The row that was written first in time but stands later in the file: it has to be applied again after
#: the ones set aside, so its values are needed once more.
_REMEMBER_WRITTEN = text("""
    INSERT INTO rows_set_aside (task_id, row, key)
    SELECT DISTINCT :task_id, customers.import_row, customers.external_id
    FROM staging JOIN customers USING (external_id)
    WHERE customers.scope_id = :scope_id AND customers.import_id = :import_id AND customers.import_row > staging.row
    ON CONFLICT DO NOTHING
""")

_REPLAY = text(_UPSERT)


def merge(session: Session, task: Task, rows: Sequence[ValidRow]) -> Merged:
    """Merge one chunk; rows whose key another chunk has written are set aside and counted as updates."""
    folded = fold_rows((row.number, row.values["external_id"], row.values) for row in rows)
    _stage(session, folded)
    parameters = _parameters(task)
    created, total, aside = session.execute(_MERGE, {**parameters, "task_id": task.id}).one()
    if aside:
        session.execute(_REMEMBER_WRITTEN, {**parameters, "task_id": task.id})
    return Merged(Counters(created=created, updated=int(total or 0) - created))


def replay(session: Session, task: Task, folded: Iterable[FoldedRow]) -> None:
    """Apply rows that were set aside, folded in file order, over what the task's chunks have written."""
    _stage(session, folded)
    session.execute(_REPLAY, _parameters(task))


def _stage(session: Session, folded: Iterable[FoldedRow]) -> None:
    columns = (*_TEXT_COLUMNS, "metadata")
    stage_rows(
        session,
        _STAGING,
        (
            [
                new_id("cust"),
                row.row,
                row.count,
                *(row.values[column] for column in columns),
            ]
            for row in folded
        ),
    )


def _parameters(task: Task) -> dict[str, Any]:
    return {"scope_id": task.scope_id, "import_id": task.serial}
