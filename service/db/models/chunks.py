"""The chunks of an import, the rows they refused, and the rows that wait for the end."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, Integer, LargeBinary, func, text
from sqlalchemy.orm import Mapped, mapped_column

from schemas.vocabulary import ChunkState
from service.db.models.base import Base, Key
from service.db.models.tasks import one_of


class Chunk(Base):
    """Consecutive rows of a source: one transaction to load, with a fence and a lease of its own."""

    __tablename__ = "chunks"
    __table_args__ = (
        one_of("state", ChunkState),
        Index(
            "ix_chunks_unloaded",
            "task_id",
            "number",
            postgresql_where=text("state <> 'LOADED'"),
        ),
        Index(
            "ix_chunks_lease_expires_at",
            "lease_expires_at",
            postgresql_where=text("state = 'LOADING'"),
        ),
    )

    task_id: Mapped[str] = mapped_column(Key, ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    state: Mapped[str] = mapped_column(server_default=ChunkState.OPEN)
    attempt: Mapped[int] = mapped_column(Integer, server_default="0")
    failures: Mapped[int] = mapped_column(Integer, server_default="0")
    lease_expires_at: Mapped[datetime | None]
    due_at: Mapped[datetime] = mapped_column(server_default=func.now())
    worker: Mapped[str | None]
    byte_start: Mapped[int]
    byte_end: Mapped[int]
    first_row: Mapped[int]
    row_count: Mapped[int]
    first_line: Mapped[int]
    checksum: Mapped[bytes] = mapped_column(LargeBinary)
    created_records: Mapped[int] = mapped_column(server_default="0")
    updated_records: Mapped[int] = mapped_column(server_default="0")
    skipped_records: Mapped[int] = mapped_column(server_default="0")
    rejected_records: Mapped[int] = mapped_column(server_default="0")
    refused_codes: Mapped[dict[str, Any] | None]
    last_error: Mapped[str | None]


class StoredRowError(Base):
    """Why one row was refused; a row may have several errors, numbered from 1."""

    __tablename__ = "row_errors"

    task_id: Mapped[str] = mapped_column(Key, ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True)
    row: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    column: Mapped[str]
    line: Mapped[int]
    code: Mapped[str]
    value: Mapped[str | None]
    message: Mapped[str]


class RefusedRows(Base):
    """The refused rows of a chunk as the file of refused rows will have them, compressed; Finish joins them."""

    __tablename__ = "refused_rows"

    task_id: Mapped[str] = mapped_column(Key, ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True)
    chunk: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class RowSetAside(Base):
    """A row whose key this task had written already; Finish applies these in file order.

    `values` is null for the row that came first in time but later in the file: it is read again from
    the source when the rows of its key are put in order.
    """

    __tablename__ = "rows_set_aside"
    __table_args__ = (Index("ix_rows_set_aside_task_id_key", "task_id", "key"),)

    task_id: Mapped[str] = mapped_column(Key, ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True)
    row: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    key: Mapped[str] = mapped_column(Key)
    values: Mapped[dict[str, Any] | None]
