"""options of imports, their sources' formats, refused rows."""

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_FILE_TYPE = op.f("ck_tasks_file_type")
_TASK_COLUMNS: dict[str, Any] = {
    "options": postgresql.JSONB(none_as_null=True),
    "plan_id": sa.Text(collation="C"),
    "parent_task_id": sa.Text(collation="C"),
    "source_format": postgresql.JSONB(none_as_null=True),
    "refused_key": sa.Text(),
    "merged_at": sa.DateTime(timezone=True),
    "stop_code": sa.Text(),
    "stop_message": sa.Text(),
}


def upgrade() -> None:
    """Make the change."""

    for name, kind in _TASK_COLUMNS.items():
        op.add_column("tasks", sa.Column(name, kind, nullable=True))
    op.drop_constraint(_FILE_TYPE, "tasks", type_="check")
    op.create_check_constraint(_FILE_TYPE, "tasks", "file_type IN ('CSV', 'JSON', 'NDJSON', 'PARQUET')")
    op.add_column("chunks", sa.Column("refused_codes", postgresql.JSONB(none_as_null=True), nullable=True))
    op.create_table(
        "refused_rows",
        sa.Column("task_id", sa.Text(collation="C"), nullable=False),
        sa.Column("chunk", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["task_id"], ["tasks.id"], name=op.f("fk_refused_rows_task_id_tasks"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("task_id", "chunk", name=op.f("pk_refused_rows")),
    )


def downgrade() -> None:
    """Take it back."""

    op.drop_table("refused_rows")
    op.drop_column("chunks", "refused_codes")
    op.drop_constraint(_FILE_TYPE, "tasks", type_="check")
    op.create_check_constraint(_FILE_TYPE, "tasks", "file_type IN ('CSV', 'JSON')")
    for name in reversed(_TASK_COLUMNS):
        op.drop_column("tasks", name)
