"""exports that several workers write."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""

    op.create_table(
        "export_attempts",
        sa.Column("task_id", sa.Text(collation="C"), nullable=False),
        sa.Column("attempt", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("base", sa.Text(), nullable=False),
        sa.Column("look_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("object_key", sa.Text(), nullable=True),
        sa.Column("upload_id", sa.Text(), nullable=True),
        sa.Column("snapshot", sa.Text(), nullable=True),
        sa.Column("streams", sa.Integer(), server_default="0", nullable=False),
        sa.Column("parts", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(
            ["task_id"], ["tasks.id"], name=op.f("fk_export_attempts_task_id_tasks"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("task_id", "attempt", name=op.f("pk_export_attempts")),
    )
    op.create_index("ix_export_attempts_look_at", "export_attempts", ["look_at"])
    op.create_table(
        "export_streams",
        sa.Column("task_id", sa.Text(collation="C"), nullable=False),
        sa.Column("attempt", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("state", sa.Text(), server_default="WRITING", nullable=False),
        sa.Column("worker", sa.Text(), nullable=False),
        sa.Column("lease_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stretches", postgresql.JSONB(none_as_null=True), nullable=True),
        sa.CheckConstraint("state IN ('WRITING', 'WRITTEN')", name=op.f("ck_export_streams_state")),
        sa.ForeignKeyConstraint(
            ["task_id", "attempt"],
            ["export_attempts.task_id", "export_attempts.attempt"],
            name=op.f("fk_export_streams_task_id_export_attempts"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("task_id", "attempt", "number", name=op.f("pk_export_streams")),
    )
    op.create_table(
        "export_ranges",
        sa.Column("task_id", sa.Text(collation="C"), nullable=False),
        sa.Column("attempt", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("first_block", sa.BigInteger(), nullable=False),
        sa.Column("end_block", sa.BigInteger(), nullable=True),
        sa.Column("stream", sa.Integer(), nullable=True),
        sa.Column("is_for_lead", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.ForeignKeyConstraint(
            ["task_id", "attempt"],
            ["export_attempts.task_id", "export_attempts.attempt"],
            name=op.f("fk_export_ranges_task_id_export_attempts"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("task_id", "attempt", "number", name=op.f("pk_export_ranges")),
    )
    op.create_table(
        "export_parts",
        sa.Column("task_id", sa.Text(collation="C"), nullable=False),
        sa.Column("attempt", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("stream", sa.Integer(), nullable=True),
        sa.Column("etag", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["task_id", "attempt"],
            ["export_attempts.task_id", "export_attempts.attempt"],
            name=op.f("fk_export_parts_task_id_export_attempts"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("task_id", "attempt", "number", name=op.f("pk_export_parts")),
    )


def downgrade() -> None:
    """Take it back."""

    for table in ("export_parts", "export_ranges", "export_streams", "export_attempts"):
        op.drop_table(table)
