"""counts of tasks, idempotent answers, limits of keys."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TRIGGERS = """
CREATE FUNCTION record_task_count_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'INSERT' THEN
    INSERT INTO task_count_changes
      (scope_id, day, task_type, entity_type, state, status, created_by, scheduled_task_id, tasks)
    VALUES (OLD.scope_id, (OLD.created_at AT TIME ZONE 'UTC')::date, OLD.task_type, OLD.entity_type, OLD.state,
            OLD.status, OLD.created_by, coalesce(OLD.scheduled_task_id, ''), -1);
  END IF;
  IF TG_OP <> 'DELETE' THEN
    INSERT INTO task_count_changes
      (scope_id, day, task_type, entity_type, state, status, created_by, scheduled_task_id, tasks)
    VALUES (NEW.scope_id, (NEW.created_at AT TIME ZONE 'UTC')::date, NEW.task_type, NEW.entity_type, NEW.state,
            NEW.status, NEW.created_by, coalesce(NEW.scheduled_task_id, ''), 1);
  END IF;
  RETURN NULL;
END $$;

CREATE TRIGGER count_tasks AFTER INSERT OR DELETE ON tasks
  FOR EACH ROW EXECUTE FUNCTION record_task_count_change();

CREATE TRIGGER recount_tasks AFTER UPDATE ON tasks FOR EACH ROW
  WHEN ((OLD.scope_id, OLD.created_at, OLD.task_type, OLD.entity_type, OLD.state, OLD.status, OLD.created_by,
         OLD.scheduled_task_id)
    IS DISTINCT FROM (NEW.scope_id, NEW.created_at, NEW.task_type, NEW.entity_type, NEW.state, NEW.status,
         NEW.created_by, NEW.scheduled_task_id))
  EXECUTE FUNCTION record_task_count_change();
"""

_COUNT_WHAT_IS_THERE = """
INSERT INTO task_counts
SELECT scope_id, (created_at AT TIME ZONE 'UTC')::date, task_type, entity_type, state, status, created_by,
       coalesce(scheduled_task_id, ''), count(*)
FROM tasks GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
"""


def upgrade() -> None:
    """Make the change."""

    op.create_table(
        "task_count_changes",
        sa.Column("serial", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("scope_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("task_type", sa.Text(collation="C"), nullable=False),
        sa.Column("entity_type", sa.Text(collation="C"), nullable=False),
        sa.Column("state", sa.Text(collation="C"), nullable=False),
        sa.Column("status", sa.Text(collation="C"), nullable=False),
        sa.Column("created_by", sa.Text(collation="C"), nullable=False),
        sa.Column("scheduled_task_id", sa.Text(collation="C"), nullable=False),
        sa.Column("tasks", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("serial", name=op.f("pk_task_count_changes")),
    )
    op.create_index("ix_task_count_changes_scope_id_day", "task_count_changes", ["scope_id", "day"], unique=False)
    op.create_table(
        "task_counts",
        sa.Column("scope_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("task_type", sa.Text(collation="C"), nullable=False),
        sa.Column("entity_type", sa.Text(collation="C"), nullable=False),
        sa.Column("state", sa.Text(collation="C"), nullable=False),
        sa.Column("status", sa.Text(collation="C"), nullable=False),
        sa.Column("created_by", sa.Text(collation="C"), nullable=False),
        sa.Column("scheduled_task_id", sa.Text(collation="C"), nullable=False),
        sa.Column("tasks", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "scope_id",
            "day",
            "task_type",
            "entity_type",
            "state",
            "status",
            "created_by",
            "scheduled_task_id",
            name=op.f("pk_task_counts"),
        ),
    )
    op.create_index(
        "ix_task_counts_empty", "task_counts", ["scope_id"], unique=False, postgresql_where=sa.text("tasks = 0")
    )
    op.create_table(
        "idempotent_answers",
        sa.Column("scope_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.Text(collation="C"), nullable=False),
        sa.Column("request_sha256", sa.LargeBinary(), nullable=False),
        sa.Column("http_status", sa.Integer(), nullable=True),
        sa.Column("headers", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("body", postgresql.JSON(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["scope_id"], ["scopes.id"], name=op.f("fk_idempotent_answers_scope_id_scopes")),
        sa.PrimaryKeyConstraint("scope_id", "key", name=op.f("pk_idempotent_answers")),
    )
    op.create_index("ix_idempotent_answers_created_at", "idempotent_answers", ["created_at"], unique=False)
    op.add_column("api_keys", sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("api_keys", sa.Column("requests_per_minute", sa.Integer(), nullable=True))
    op.add_column("api_keys", sa.Column("body_max_bytes", sa.Integer(), nullable=True))
    op.create_index(
        "ix_tasks_scope_id_state_created_at_id", "tasks", ["scope_id", "state", "created_at", "id"], unique=False
    )
    op.execute(_TRIGGERS)
    op.execute(_COUNT_WHAT_IS_THERE)


def downgrade() -> None:
    """Take it back."""

    op.execute("DROP TRIGGER count_tasks ON tasks; DROP TRIGGER recount_tasks ON tasks")
    op.execute("DROP FUNCTION record_task_count_change")
    op.drop_index("ix_tasks_scope_id_state_created_at_id", table_name="tasks")
    op.drop_column("api_keys", "body_max_bytes")
    op.drop_column("api_keys", "requests_per_minute")
    op.drop_column("api_keys", "last_used_at")
    op.drop_index("ix_idempotent_answers_created_at", table_name="idempotent_answers")
    op.drop_table("idempotent_answers")
    op.drop_index("ix_task_counts_empty", table_name="task_counts", postgresql_where=sa.text("tasks = 0"))
    op.drop_table("task_counts")
    op.drop_index("ix_task_count_changes_scope_id_day", table_name="task_count_changes")
    op.drop_table("task_count_changes")
