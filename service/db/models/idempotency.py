"""Answers that are given again to a request sent twice under one Idempotency-Key."""

from typing import Any

from sqlalchemy import Index, Integer, LargeBinary
from sqlalchemy.dialects.postgresql import JSON
from sqlalchemy.orm import Mapped, mapped_column

from service.db.models.base import Base, CreatedColumn, IdColumn, ScopeColumn


class IdempotentAnswer(Base):
    """What a request was answered; made in the transaction of what it created, so that neither is without the other.

    `request_sha256` is taken of method, path and body. `headers` and `body` are empty only inside that transaction.
    """

    __tablename__ = "idempotent_answers"
    __table_args__ = (Index("ix_idempotent_answers_created_at", "created_at"),)

    scope_id: Mapped[ScopeColumn] = mapped_column(primary_key=True)
    key: Mapped[IdColumn]
    request_sha256: Mapped[bytes] = mapped_column(LargeBinary)
    http_status: Mapped[int | None] = mapped_column(Integer)
    headers: Mapped[dict[str, Any] | None]
    # Not JSONB, which would put the keys into another order than they were sent in.
    body: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    created_at: Mapped[CreatedColumn]
