"""What an attempt at an export writes while it runs: shared by several workers where its table is big."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, Integer, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from schemas.vocabulary import StreamState
from service.db.models.base import Base, Key
from service.db.models.tasks import one_of


class ExportAttempt(Base):
    """What may be in a bucket because of one attempt: everything whose key begins with `base`.

    It is forgotten when the task is COMPLETED by it, or when nothing is left of it: upkeep looks from `look_at` on. The
    rest is for an object that several workers write: its upload and the snapshot that they share, once others may
    join, and how many streams and parts there have been.
    """

    __tablename__ = "export_attempts"
    __table_args__ = (Index("ix_export_attempts_look_at", "look_at"),)

    task_id: Mapped[str] = mapped_column(Key, ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True)
    attempt: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    base: Mapped[str]
    look_at: Mapped[datetime] = mapped_column(server_default=func.now())
    object_key: Mapped[str | None]
    upload_id: Mapped[str | None]
    snapshot: Mapped[str | None]
    streams: Mapped[int] = mapped_column(Integer, server_default="0")
    parts: Mapped[int] = mapped_column(Integer, server_default="0")


def _of_attempt() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["task_id", "attempt"], ["export_attempts.task_id", "export_attempts.attempt"], ondelete="CASCADE"
    )


class ExportStream(Base):
    """What one worker writes of a shared object; the lead's is number 0, and has the task's own lease.

    `stretches` are the consecutive parts that it sent: the first number, rows, bytes and SHA-256 of each stretch.
    """

    __tablename__ = "export_streams"
    __table_args__ = (one_of("state", StreamState), _of_attempt())

    task_id: Mapped[str] = mapped_column(Key, primary_key=True)
    attempt: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    state: Mapped[str] = mapped_column(server_default=StreamState.WRITING)
    worker: Mapped[str]
    lease_expires_at: Mapped[datetime | None]
    stretches: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB(none_as_null=True))


class ExportRange(Base):
    """Consecutive blocks of the table, read by one worker into its stream; open while it has none."""

    __tablename__ = "export_ranges"
    __table_args__ = (_of_attempt(),)

    task_id: Mapped[str] = mapped_column(Key, primary_key=True)
    attempt: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    first_block: Mapped[int]
    end_block: Mapped[int | None]
    stream: Mapped[int | None] = mapped_column(Integer)
    is_for_lead: Mapped[bool] = mapped_column(server_default="false")


class ExportPart(Base):
    """The number of a part that a stream has sent or is about to send; free again when the stream was given up."""

    __tablename__ = "export_parts"
    __table_args__ = (_of_attempt(),)

    task_id: Mapped[str] = mapped_column(Key, primary_key=True)
    attempt: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    stream: Mapped[int | None] = mapped_column(Integer)
    etag: Mapped[str | None]
