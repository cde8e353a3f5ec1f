"""API keys: only the SHA-256 of a key is stored."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Integer, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from schemas.vocabulary import Role
from service.db.models.base import Base, CreatedColumn, IdColumn, ScopeColumn


class ApiKey(Base):
    """A caller's right to one scope, in one role; its own limits win over those of the settings."""

    __tablename__ = "api_keys"
    __table_args__ = (
        UniqueConstraint("sha256"),
        CheckConstraint(f"role IN ({', '.join(repr(str(role)) for role in Role)})", name="role"),
    )

    id: Mapped[IdColumn]
    scope_id: Mapped[ScopeColumn]
    sha256: Mapped[bytes] = mapped_column(LargeBinary)
    name: Mapped[str]
    role: Mapped[str]
    user_id: Mapped[str]
    created_at: Mapped[CreatedColumn]
    expires_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    last_used_at: Mapped[datetime | None]
    requests_per_minute: Mapped[int | None] = mapped_column(Integer)
    body_max_bytes: Mapped[int | None] = mapped_column(Integer)
