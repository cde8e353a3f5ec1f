"""A scope: one tenant's one environment, named by one narrow number in every other table."""

from sqlalchemy import Identity, Integer, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from service.db.models.base import Base, CreatedColumn, Key


class Scope(Base):
    """One tenant and environment; see docs/adr/0002 for why the pair is not repeated in each row."""

    __tablename__ = "scopes"
    __table_args__ = (UniqueConstraint("tenant_id", "environment_id"),)

    id: Mapped[int] = mapped_column(Integer, Identity(always=True), primary_key=True)
    tenant_id: Mapped[str] = mapped_column(Key)
    environment_id: Mapped[str] = mapped_column(Key)
    created_at: Mapped[CreatedColumn]
