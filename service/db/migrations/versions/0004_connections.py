"""connections to customers' buckets, and which task uses which."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the change."""

    op.create_table(
        "connections",
        sa.Column("id", sa.Text(collation="C"), nullable=False),
        sa.Column("scope_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("provider_type", sa.Text(), nullable=False),
        sa.Column("is_managed", sa.Boolean(), nullable=False),
        sa.Column("bucket", sa.Text(collation="C"), nullable=False),
        sa.Column("region", sa.Text(), nullable=False),
        sa.Column("key_prefix", sa.Text(), nullable=False),
        sa.Column("endpoint_url", sa.Text(), nullable=True),
        sa.Column("use_path_style", sa.Boolean(), nullable=False),
        sa.Column("encryption", sa.Text(), nullable=True),
        sa.Column("kms_key_id", sa.Text(), nullable=True),
        sa.Column("compression", sa.Text(), nullable=True),
        sa.Column("role_arn", sa.Text(), nullable=True),
        sa.Column("external_id", sa.Text(), nullable=True),
        sa.Column("sealed_secret", sa.Text(), nullable=True),
        sa.Column("metadata", postgresql.JSONB(none_as_null=True), nullable=True),
        sa.Column("status", sa.Text(), server_default="published", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by", sa.Text(), server_default="", nullable=False),
        sa.Column("updated_by", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("provider_type IN ('s3')", name=op.f("ck_connections_provider_type")),
        sa.CheckConstraint(
            "encryption IN ('AES256', 'aws:kms', 'aws:kms:dsse')", name=op.f("ck_connections_encryption")
        ),
        sa.CheckConstraint("status IN ('published', 'deleted', 'archived')", name=op.f("ck_connections_status")),
        sa.CheckConstraint(
            "status <> 'published' OR is_managed OR sealed_secret IS NOT NULL OR role_arn IS NOT NULL",
            name=op.f("ck_connections_lets_us_in"),
        ),
        sa.CheckConstraint(
            "status = 'published' OR sealed_secret IS NULL", name=op.f("ck_connections_deleted_keeps_no_secret")
        ),
        sa.ForeignKeyConstraint(["scope_id"], ["scopes.id"], name=op.f("fk_connections_scope_id_scopes")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_connections")),
    )
    op.create_index("ix_connections_scope_id_created_at_id", "connections", ["scope_id", "created_at", "id"])
    op.create_index(
        "ix_connections_scope_id_bucket",
        "connections",
        ["scope_id", "bucket"],
        postgresql_where=sa.text("status = 'published'"),
    )
    op.add_column("tasks", sa.Column("connection_id", sa.Text(collation="C"), nullable=True))
    op.add_column("tasks", sa.Column("destination_url", sa.Text(), nullable=True))
    op.create_foreign_key(op.f("fk_tasks_connection_id_connections"), "tasks", "connections", ["connection_id"], ["id"])


def downgrade() -> None:
    """Take it back."""

    op.drop_constraint(op.f("fk_tasks_connection_id_connections"), "tasks", type_="foreignkey")
    op.drop_column("tasks", "destination_url")
    op.drop_column("tasks", "connection_id")
    op.drop_table("connections")
