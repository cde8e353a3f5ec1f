"""Connections: customers' buckets, and the credentials by which they are reached."""

from typing import Any

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from schemas.vocabulary import Encryption, ProviderType, RowStatus
from service.db.models.base import Base, CreatedColumn, IdColumn, Key, ScopeColumn
from service.db.models.tasks import one_of


class Connection(Base):
    """A bucket that a customer lets us use; its row outlives its deletion, for what was once written through it.

    `sealed_secret` is encrypted, and gone when the connection is deleted. `key_prefix` is "" or ends with `/`:
    nothing outside of it is read or written. A managed connection stands for the service's own bucket.
    """

    __tablename__ = "connections"
    __table_args__ = (
        one_of("provider_type", ProviderType),
        one_of("encryption", Encryption),
        one_of("status", RowStatus),
        CheckConstraint(
            "status <> 'published' OR is_managed OR sealed_secret IS NOT NULL OR role_arn IS NOT NULL",
            name="lets_us_in",
        ),
        CheckConstraint("status = 'published' OR sealed_secret IS NULL", name="deleted_keeps_no_secret"),
        Index("ix_connections_scope_id_created_at_id", "scope_id", "created_at", "id"),
        Index("ix_connections_scope_id_bucket", "scope_id", "bucket", postgresql_where=text("status = 'published'")),
    )

    id: Mapped[IdColumn]
    scope_id: Mapped[ScopeColumn]
    name: Mapped[str]
    provider_type: Mapped[str]
    is_managed: Mapped[bool]
    bucket: Mapped[str] = mapped_column(Key)
    region: Mapped[str]
    key_prefix: Mapped[str]
    endpoint_url: Mapped[str | None]
    use_path_style: Mapped[bool]
    encryption: Mapped[str | None]
    kms_key_id: Mapped[str | None]
    compression: Mapped[str | None]
    role_arn: Mapped[str | None]
    external_id: Mapped[str | None]
    sealed_secret: Mapped[str | None]
    metadata_: Mapped[dict[str, Any] | None] = mapped_column("metadata")
    status: Mapped[str] = mapped_column(server_default=RowStatus.PUBLISHED)
    created_at: Mapped[CreatedColumn]
    updated_at: Mapped[CreatedColumn]
    created_by: Mapped[str] = mapped_column(server_default="")
    updated_by: Mapped[str] = mapped_column(server_default="")

    @property
    def is_published(self) -> bool:
        """Whether it is there for use: it was not deleted."""
        return self.status == RowStatus.PUBLISHED
