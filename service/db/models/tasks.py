"""Tasks and their attempts: the row is the queue, the outbox, the lease and the fence of its work."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from schemas.vocabulary import (
    AttemptOutcome,
    EntityType,
    FileType,
    Phase,
    RowStatus,
    TaskState,
    TaskType,
)
from service.db.models.base import Base, CreatedColumn, IdColumn, Key, ScopeColumn


def one_of(column: str, words: type[StrEnum]) -> CheckConstraint:
    """A check that the column holds one of an enum's words."""
    listed = ", ".join(f"'{word}'" for word in words)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


class Task(Base):
    """One tracked request to import or export.

    `attempt` is the fence: it only grows, and every write of a worker carries it; after `final_attempt`
    we give up. `due_at` says from
    when the task may be claimed and `dispatched_at` when a message was last sent for it, so a lost
    message is only a delay. `serial` is the narrow key that imported rows carry. `stop_code` says that an import
    loads no more chunks and why; it is FAILED when it has been finished. `destination_url` is where an export is asked
    to go; its `file_url` is "" until the object is whole.
    """

    __tablename__ = "tasks"
    __table_args__ = (
        UniqueConstraint("serial"),
        UniqueConstraint("workflow_id"),
        one_of("task_type", TaskType),
        one_of("entity_type", EntityType),
        one_of("file_type", FileType),
        one_of("state", TaskState),
        one_of("phase", Phase),
        CheckConstraint("state <> 'FAILED' OR error_summary IS NOT NULL", name="failed_says_why"),
        CheckConstraint(
            "state = 'PROCESSING' OR lease_expires_at IS NULL",
            name="lease_only_while_processing",
        ),
        CheckConstraint(
            "NOT (task_type = 'EXPORT' AND state = 'COMPLETED') OR file_url LIKE 's3://%'",
            name="export_has_object",
        ),
        Index("ix_tasks_scope_id_created_at_id", "scope_id", "created_at", "id"),
        Index("ix_tasks_scope_id_state_created_at_id", "scope_id", "state", "created_at", "id"),
        Index(
            "ix_tasks_due_at",
            "due_at",
            postgresql_where=text("state IN ('PENDING', 'PROCESSING')"),
        ),
        Index(
            "ix_tasks_lease_expires_at",
            "lease_expires_at",
            postgresql_where=text("lease_expires_at IS NOT NULL"),
        ),
    )

    id: Mapped[IdColumn]
    serial: Mapped[int] = mapped_column(Identity(always=True))
    scope_id: Mapped[ScopeColumn]
    task_type: Mapped[str]
    entity_type: Mapped[str]
    file_type: Mapped[str]
    file_url: Mapped[str] = mapped_column(server_default="")
    file_name: Mapped[str | None]
    upload_id: Mapped[str | None]
    connection_id: Mapped[str | None] = mapped_column(Key, ForeignKey("connections.id"))
    destination_url: Mapped[str | None]
    metadata_: Mapped[dict[str, Any] | None] = mapped_column("metadata")
    options: Mapped[dict[str, Any] | None]
    plan_id: Mapped[str | None] = mapped_column(Key)
    parent_task_id: Mapped[str | None] = mapped_column(Key)
    status: Mapped[str] = mapped_column(server_default=RowStatus.PUBLISHED)
    workflow_id: Mapped[str] = mapped_column(Key)
    run_id: Mapped[str]
    scheduled_task_id: Mapped[str | None]

    state: Mapped[str] = mapped_column(server_default=TaskState.PENDING)
    phase: Mapped[str | None]
    attempt: Mapped[int] = mapped_column(Integer, server_default="0")
    final_attempt: Mapped[int] = mapped_column(Integer)
    lease_expires_at: Mapped[datetime | None]
    worker: Mapped[str | None]
    due_at: Mapped[datetime] = mapped_column(server_default=func.now())
    dispatched_at: Mapped[datetime | None]

    source_key: Mapped[str | None]
    source_bytes: Mapped[int | None]
    source_sha256: Mapped[bytes | None] = mapped_column(LargeBinary)
    source_columns: Mapped[list[str] | None]
    source_format: Mapped[dict[str, Any] | None]
    refused_key: Mapped[str | None]
    merged_at: Mapped[datetime | None]
    bytes_done: Mapped[int] = mapped_column(server_default="0")
    object_manifest: Mapped[dict[str, Any] | None]

    total_records: Mapped[int | None]
    created_records: Mapped[int] = mapped_column(server_default="0")
    updated_records: Mapped[int] = mapped_column(server_default="0")
    skipped_records: Mapped[int] = mapped_column(server_default="0")
    rejected_records: Mapped[int] = mapped_column(server_default="0")
    stop_code: Mapped[str | None]
    stop_message: Mapped[str | None]
    error_code: Mapped[str | None]
    error_summary: Mapped[str | None]

    started_at: Mapped[datetime | None]
    completed_at: Mapped[datetime | None]
    failed_at: Mapped[datetime | None]
    created_at: Mapped[CreatedColumn]
    updated_at: Mapped[CreatedColumn]
    created_by: Mapped[str] = mapped_column(server_default="")
    updated_by: Mapped[str] = mapped_column(server_default="")


class Attempt(Base):
    """One run of a task by workers, kept for people to see what happened."""

    __tablename__ = "attempts"
    __table_args__ = (one_of("outcome", AttemptOutcome),)

    task_id: Mapped[str] = mapped_column(Key, ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    worker: Mapped[str]
    started_at: Mapped[CreatedColumn]
    ended_at: Mapped[datetime | None]
    outcome: Mapped[str | None]
    error: Mapped[str | None]
