"""the first tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""

    op.create_table(
        "customers",
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("import_id", sa.BigInteger(), nullable=False),
        sa.Column("import_row", sa.BigInteger(), nullable=False),
        sa.Column("scope_id", sa.Integer(), nullable=False),
        sa.Column("external_id", sa.Text(collation="C"), nullable=False),
        sa.Column("id", sa.Text(collation="C"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("address_line1", sa.Text(), nullable=True),
        sa.Column("address_line2", sa.Text(), nullable=True),
        sa.Column("address_city", sa.Text(), nullable=True),
        sa.Column("address_state", sa.Text(), nullable=True),
        sa.Column("address_postal_code", sa.Text(), nullable=True),
        sa.Column("address_country", sa.Text(), nullable=True),
        sa.Column("metadata", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.PrimaryKeyConstraint("scope_id", "external_id", name=op.f("pk_customers")),
        sa.UniqueConstraint("id", name=op.f("uq_customers_id")),
    )
    op.create_table(
        "events",
        sa.Column("timestamp", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ingested_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("import_id", sa.BigInteger(), nullable=False),
        sa.Column("import_row", sa.BigInteger(), nullable=False),
        sa.Column("scope_id", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.Text(collation="C"), nullable=False),
        sa.Column("event_name", sa.Text(), nullable=False),
        sa.Column("external_customer_id", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column(
            "properties", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.PrimaryKeyConstraint("scope_id", "event_id", name=op.f("pk_events")),
    )
    op.create_index(
        "ix_events_timestamp",
        "events",
        ["timestamp"],
        unique=False,
        postgresql_using="brin",
        postgresql_with={"pages_per_range": 32, "autosummarize": "on"},
    )
    op.create_table(
        "meters",
        sa.Column("id", sa.Text(collation="C"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("scope_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("event_name", sa.Text(), nullable=False),
        sa.Column("aggregation_type", sa.Text(), nullable=False),
        sa.Column("aggregation_field", sa.Text(), nullable=True),
        sa.Column("aggregation_multiplier", sa.Numeric(), nullable=True),
        sa.Column("aggregation_bucket_size", sa.Text(), nullable=True),
        sa.Column("reset_usage", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_meters")),
    )
    op.create_table(
        "scopes",
        sa.Column("id", sa.Integer(), sa.Identity(always=True), nullable=False),
        sa.Column("tenant_id", sa.Text(collation="C"), nullable=False),
        sa.Column("environment_id", sa.Text(collation="C"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scopes")),
        sa.UniqueConstraint("tenant_id", "environment_id", name=op.f("uq_scopes_tenant_id_environment_id")),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Text(collation="C"), nullable=False),
        sa.Column("scope_id", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("role IN ('reader', 'writer', 'worker', 'admin')", name=op.f("ck_api_keys_role")),
        sa.ForeignKeyConstraint(["scope_id"], ["scopes.id"], name=op.f("fk_api_keys_scope_id_scopes")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_keys")),
        sa.UniqueConstraint("sha256", name=op.f("uq_api_keys_sha256")),
    )
    op.create_table(
        "features",
        sa.Column("id", sa.Text(collation="C"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("import_id", sa.BigInteger(), nullable=False),
        sa.Column("import_row", sa.BigInteger(), nullable=False),
        sa.Column("scope_id", sa.Integer(), nullable=False),
        sa.Column("lookup_key", sa.Text(collation="C"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("unit_singular", sa.Text(), nullable=True),
        sa.Column("unit_plural", sa.Text(), nullable=True),
        sa.Column("meter_id", sa.Text(collation="C"), nullable=True),
        sa.Column("metadata", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.ForeignKeyConstraint(
            ["meter_id"], ["meters.id"], name=op.f("fk_features_meter_id_meters"), initially="DEFERRED", deferrable=True
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_features")),
        sa.UniqueConstraint("scope_id", "lookup_key", name=op.f("uq_features_scope_id_lookup_key")),
    )
    op.create_table(
        "prices",
        sa.Column("id", sa.Text(collation="C"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("import_id", sa.BigInteger(), nullable=False),
        sa.Column("import_row", sa.BigInteger(), nullable=False),
        sa.Column("scope_id", sa.Integer(), nullable=False),
        sa.Column("lookup_key", sa.Text(collation="C"), nullable=True),
        sa.Column("display_name", sa.Text(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("entity_type", sa.Text(), nullable=False),
        sa.Column("entity_id", sa.Text(collation="C"), nullable=False),
        sa.Column("meter_id", sa.Text(collation="C"), nullable=True),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("price_unit_type", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("billing_model", sa.Text(), nullable=False),
        sa.Column("billing_period", sa.Text(), nullable=False),
        sa.Column("billing_period_count", sa.Integer(), nullable=False),
        sa.Column("invoice_cadence", sa.Text(), nullable=False),
        sa.Column("amount", sa.Numeric(), nullable=True),
        sa.Column("tier_mode", sa.Text(), nullable=True),
        sa.Column("tiers", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("transform_quantity_divide_by", sa.BigInteger(), nullable=True),
        sa.Column("transform_quantity_round", sa.Text(), nullable=True),
        sa.Column("price_unit_config_price_unit", sa.Text(), nullable=True),
        sa.Column("price_unit_config_amount", sa.Numeric(), nullable=True),
        sa.Column("price_unit_config_tiers", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("start_date", sa.DateTime(timezone=True), nullable=False),
        sa.Column("end_date", sa.DateTime(timezone=True), nullable=True),
        sa.Column("min_quantity", sa.BigInteger(), nullable=True),
        sa.Column("trial_period_days", sa.BigInteger(), nullable=True),
        sa.Column("group_id", sa.Text(), nullable=True),
        sa.Column("metadata", postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.ForeignKeyConstraint(["meter_id"], ["meters.id"], name=op.f("fk_prices_meter_id_meters")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_prices")),
        sa.UniqueConstraint("import_id", "import_row", name=op.f("uq_prices_import_id_import_row")),
    )
    op.create_index(
        "uq_prices_scope_id_lookup_key",
        "prices",
        ["scope_id", "lookup_key"],
        unique=True,
        postgresql_where=sa.text("lookup_key IS NOT NULL AND end_date IS NULL"),
    )
    op.create_table(
        "tasks",
        sa.Column("id", sa.Text(collation="C"), nullable=False),
        sa.Column("serial", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("scope_id", sa.Integer(), nullable=False),
        sa.Column("task_type", sa.Text(), nullable=False),
        sa.Column("entity_type", sa.Text(), nullable=False),
        sa.Column("file_type", sa.Text(), nullable=False),
        sa.Column("file_url", sa.Text(), server_default="", nullable=False),
        sa.Column("file_name", sa.Text(), nullable=True),
        sa.Column("upload_id", sa.Text(), nullable=True),
        sa.Column("metadata", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("status", sa.Text(), server_default="published", nullable=False),
        sa.Column("workflow_id", sa.Text(collation="C"), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("scheduled_task_id", sa.Text(), nullable=True),
        sa.Column("state", sa.Text(), server_default="PENDING", nullable=False),
        sa.Column("phase", sa.Text(), nullable=True),
        sa.Column("attempt", sa.Integer(), server_default="0", nullable=False),
        sa.Column("final_attempt", sa.Integer(), nullable=False),
        sa.Column("lease_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("worker", sa.Text(), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("dispatched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("source_key", sa.Text(), nullable=True),
        sa.Column("source_bytes", sa.BigInteger(), nullable=True),
        sa.Column("source_sha256", sa.LargeBinary(), nullable=True),
        sa.Column("source_columns", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("bytes_done", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("object_manifest", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("total_records", sa.BigInteger(), nullable=True),
        sa.Column("created_records", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("updated_records", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("skipped_records", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("rejected_records", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("error_summary", sa.Text(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by", sa.Text(), server_default="", nullable=False),
        sa.Column("updated_by", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint(
            "NOT (task_type = 'EXPORT' AND state = 'COMPLETED') OR file_url LIKE 's3://%'",
            name=op.f("ck_tasks_export_has_object"),
        ),
        sa.CheckConstraint(
            "entity_type IN ('EVENTS', 'PRICES', 'CUSTOMERS', 'FEATURES')", name=op.f("ck_tasks_entity_type")
        ),
        sa.CheckConstraint("file_type IN ('CSV', 'JSON')", name=op.f("ck_tasks_file_type")),
        sa.CheckConstraint(
            "phase IN ('FETCHING', 'LOADING', 'FINISHING', 'READING', 'WRITING')", name=op.f("ck_tasks_phase")
        ),
        sa.CheckConstraint("state <> 'FAILED' OR error_summary IS NOT NULL", name=op.f("ck_tasks_failed_says_why")),
        sa.CheckConstraint(
            "state = 'PROCESSING' OR lease_expires_at IS NULL", name=op.f("ck_tasks_lease_only_while_processing")
        ),
        sa.CheckConstraint(
            "state IN ('PENDING', 'PROCESSING', 'COMPLETED', 'FAILED', 'CANCELLED')", name=op.f("ck_tasks_state")
        ),
        sa.CheckConstraint("task_type IN ('IMPORT', 'EXPORT')", name=op.f("ck_tasks_task_type")),
        sa.ForeignKeyConstraint(["scope_id"], ["scopes.id"], name=op.f("fk_tasks_scope_id_scopes")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tasks")),
        sa.UniqueConstraint("serial", name=op.f("uq_tasks_serial")),
        sa.UniqueConstraint("workflow_id", name=op.f("uq_tasks_workflow_id")),
    )
    op.create_index(
        "ix_tasks_due_at",
        "tasks",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("state IN ('PENDING', 'PROCESSING')"),
    )
    op.create_index(
        "ix_tasks_lease_expires_at",
        "tasks",
        ["lease_expires_at"],
        unique=False,
        postgresql_where=sa.text("lease_expires_at IS NOT NULL"),
    )
    op.create_index("ix_tasks_scope_id_created_at_id", "tasks", ["scope_id", "created_at", "id"], unique=False)
    op.create_table(
        "uploads",
        sa.Column("id", sa.Text(collation="C"), nullable=False),
        sa.Column("scope_id", sa.Integer(), nullable=False),
        sa.Column("object_key", sa.Text(), nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["scope_id"], ["scopes.id"], name=op.f("fk_uploads_scope_id_scopes")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_uploads")),
    )
    op.create_table(
        "attempts",
        sa.Column("task_id", sa.Text(collation="C"), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("worker", sa.Text(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "outcome IN ('SUCCEEDED', 'RETRYING', 'FAILED', 'LOST', 'CANCELLED')", name=op.f("ck_attempts_outcome")
        ),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_attempts_task_id_tasks"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("task_id", "number", name=op.f("pk_attempts")),
    )
    op.create_table(
        "chunks",
        sa.Column("task_id", sa.Text(collation="C"), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("state", sa.Text(), server_default="OPEN", nullable=False),
        sa.Column("attempt", sa.Integer(), server_default="0", nullable=False),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("lease_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("worker", sa.Text(), nullable=True),
        sa.Column("byte_start", sa.BigInteger(), nullable=False),
        sa.Column("byte_end", sa.BigInteger(), nullable=False),
        sa.Column("first_row", sa.BigInteger(), nullable=False),
        sa.Column("row_count", sa.BigInteger(), nullable=False),
        sa.Column("first_line", sa.BigInteger(), nullable=False),
        sa.Column("checksum", sa.LargeBinary(), nullable=False),
        sa.Column("created_records", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("updated_records", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("skipped_records", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("rejected_records", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("last_error", sa.Text(), nullable=True),
        sa.CheckConstraint("state IN ('OPEN', 'LOADING', 'LOADED')", name=op.f("ck_chunks_state")),
        sa.ForeignKeyConstraint(["task_id"], ["tasks.id"], name=op.f("fk_chunks_task_id_tasks"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("task_id", "number", name=op.f("pk_chunks")),
    )
    op.create_index(
        "ix_chunks_lease_expires_at",
        "chunks",
        ["lease_expires_at"],
        unique=False,
        postgresql_where=sa.text("state = 'LOADING'"),
    )
    op.create_index(
        "ix_chunks_unloaded",
        "chunks",
        ["task_id", "number"],
        unique=False,
        postgresql_where=sa.text("state <> 'LOADED'"),
    )
    op.create_table(
        "row_errors",
        sa.Column("task_id", sa.Text(collation="C"), nullable=False),
        sa.Column("row", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("column", sa.Text(), nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("message", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["task_id"], ["tasks.id"], name=op.f("fk_row_errors_task_id_tasks"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("task_id", "row", "position", name=op.f("pk_row_errors")),
    )
    op.create_table(
        "rows_set_aside",
        sa.Column("task_id", sa.Text(collation="C"), nullable=False),
        sa.Column("row", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("key", sa.Text(collation="C"), nullable=False),
        sa.Column("values", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.ForeignKeyConstraint(
            ["task_id"], ["tasks.id"], name=op.f("fk_rows_set_aside_task_id_tasks"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("task_id", "row", name=op.f("pk_rows_set_aside")),
    )
    op.create_index("ix_rows_set_aside_task_id_key", "rows_set_aside", ["task_id", "key"], unique=False)


def downgrade() -> None:
    """Take it back."""

    op.drop_index("ix_rows_set_aside_task_id_key", table_name="rows_set_aside")
    op.drop_table("rows_set_aside")
    op.drop_table("row_errors")
    op.drop_index("ix_chunks_unloaded", table_name="chunks", postgresql_where=sa.text("state <> 'LOADED'"))
    op.drop_index("ix_chunks_lease_expires_at", table_name="chunks", postgresql_where=sa.text("state = 'LOADING'"))
    op.drop_table("chunks")
    op.drop_table("attempts")
    op.drop_table("uploads")
    op.drop_index("ix_tasks_scope_id_created_at_id", table_name="tasks")
    op.drop_index(
        "ix_tasks_lease_expires_at", table_name="tasks", postgresql_where=sa.text("lease_expires_at IS NOT NULL")
    )
    op.drop_index("ix_tasks_due_at", table_name="tasks", postgresql_where=sa.text("state IN ('PENDING', 'PROCESSING')"))
    op.drop_table("tasks")
    op.drop_index(
        "uq_prices_scope_id_lookup_key",
        table_name="prices",
        postgresql_where=sa.text("lookup_key IS NOT NULL AND end_date IS NULL"),
    )
    op.drop_table("prices")
    op.drop_table("features")
    op.drop_table("api_keys")
    op.drop_table("scopes")
    op.drop_table("meters")
    op.drop_index(
        "ix_events_timestamp",
        table_name="events",
        postgresql_using="brin",
        postgresql_with={"pages_per_range": 32, "autosummarize": "on"},
    )
    op.drop_table("events")
    op.drop_table("customers")
