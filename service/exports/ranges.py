"""The ranges of a shared export in SQL: planned by its lead, claimed one at a time by any worker, fenced at the end.

Each worker writes one stream, of all the ranges that it reads. A stream that is lost opens its ranges again and frees
the numbers of its parts. Whoever takes a stream away takes its row exclusively, whoever claims for it shares the row:
so nothing is left to a stream that there is no longer.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import ColumnElement, and_, delete, exists, func, insert, literal, or_, select, update
from sqlalchemy.orm import Session

from schemas.vocabulary import Phase, StreamState, TaskState, TaskType
from service.db.clock import now, seconds_from_now
from service.db.models import ExportAttempt, ExportPart, ExportRange, ExportStream, Task
from service.errors import FencedError, StoreRefusedError
from service.exports.query import Blocks
from service.storage.multipart import PARTS_MAX
from service.storage.shared_parts import SentParts
from service.tracking.lease import require_owner

#: The stream of the worker whose task it is.
LEAD = 0


@dataclass(frozen=True, slots=True)
class Stream:
    """One worker's part in one attempt at an export."""

    task_id: str
    attempt: int
    number: int = LEAD


@dataclass(frozen=True, slots=True)
class JoinedStream:
    """The right to write a stream until its lease ends, and what is needed for it."""

    stream: Stream
    task: Task
    object_key: str
    upload_id: str
    snapshot: str


def note_attempt(session: Session, task: Task, base: str) -> None:
    """Write down that objects may be found whose keys begin so; raises FencedError when the task is another's."""
    require_owner(session, task, Phase.READING)
    session.execute(insert(ExportAttempt).values(task_id=task.id, attempt=task.attempt, base=base))


def forget_attempt(session: Session, task_id: str, attempt: int) -> None:
    """Forget it, its streams and its ranges: what it wrote is the task's, or is gone."""
    session.execute(delete(ExportAttempt).where(ExportAttempt.task_id == task_id, ExportAttempt.attempt == attempt))


def plan_ranges(session: Session, task: Task, ranges: Sequence[Blocks], worker: str) -> Stream:
    """Store the ranges and the lead's stream, which has them to itself until others may join.

    Raises FencedError when another attempt owns the task by now.
    """
    require_owner(session, task, Phase.READING)
    of_attempt = {"task_id": task.id, "attempt": task.attempt}
    session.execute(insert(ExportStream).values(**of_attempt, number=LEAD, worker=worker))
    rows = [
        {**of_attempt, "number": number, "first_block": blocks.first, "end_block": blocks.end}
        for number, blocks in enumerate(ranges)
    ]
    session.execute(insert(ExportRange), rows)
    return Stream(task.id, task.attempt)


def let_others_join(session: Session, stream: Stream, object_key: str, upload_id: str, snapshot: str) -> None:
    """Tell others what they need to know."""
    session.execute(
        update(ExportAttempt)
        .where(ExportAttempt.task_id == stream.task_id, ExportAttempt.attempt == stream.attempt)
        .values(object_key=object_key, upload_id=upload_id, snapshot=snapshot)
    )


def join_export(session: Session, worker: str, lease_seconds: int) -> JoinedStream | None:
    """Begin a stream of the running export that began first and has open ranges; None without any."""
    has_open = exists().where(
        ExportRange.task_id == ExportAttempt.task_id, ExportRange.attempt == ExportAttempt.attempt, *_OPEN_TO_ALL
    )
    wanted = (
        select(ExportAttempt.task_id, ExportAttempt.attempt)
        .join(Task, and_(Task.id == ExportAttempt.task_id, Task.attempt == ExportAttempt.attempt))
        .where(
            Task.state == TaskState.PROCESSING,
            Task.lease_expires_at > now(),
            ExportAttempt.snapshot.is_not(None),
            has_open,
        )
        .order_by(Task.started_at)
        .limit(1)
        .with_for_update(of=ExportAttempt)
        .cte("wanted")
    )
    found = session.scalar(
        update(ExportAttempt)
        .where(ExportAttempt.task_id == wanted.c.task_id, ExportAttempt.attempt == wanted.c.attempt)
        .values(streams=ExportAttempt.streams + 1)
        .returning(ExportAttempt)
    )
    if found is None or found.object_key is None or found.upload_id is None or found.snapshot is None:
        return None
    stream = Stream(found.task_id, found.attempt, found.streams)
    lease = seconds_from_now(lease_seconds)
    session.execute(insert(ExportStream).values(**asdict(stream), worker=worker, lease_expires_at=lease))
    task = session.get_one(Task, found.task_id)
    return JoinedStream(stream, task, found.object_key, found.upload_id, found.snapshot)


def renew_stream(session: Session, stream: Stream, lease_seconds: int) -> None:
    """Move the end of a stream's lease; raises FencedError when it was given up, or its task is no longer run so."""
    _write_as_owner(session, stream, lease_expires_at=seconds_from_now(lease_seconds))


def claim_range(session: Session, stream: Stream) -> Blocks | None:
    """Take the first open range for a stream; None without any. Raises FencedError when the stream was given up.

    A stream that is not the lead's gets none while another export waits for a worker: nobody waits behind a big one.
    """
    _share(session, stream)
    conditions = (ExportRange.stream.is_(None),) if stream.number == LEAD else (*_OPEN_TO_ALL, ~_ANOTHER_WAITS)
    wanted = (
        select(ExportRange.number)
        .where(_of(ExportRange, stream), *conditions)
        .order_by(ExportRange.number)
        .limit(1)
        .with_for_update(skip_locked=True)
        .cte("wanted")
    )
    found = session.scalar(
        update(ExportRange)
        .where(_of(ExportRange, stream), ExportRange.number == wanted.c.number)
        .values(stream=stream.number)
        .returning(ExportRange)
    )
    return None if found is None else Blocks(found.first_block, found.end_block)


def number_part(session: Session, stream: Stream) -> int:
    """The number of a stream's next part: for the lead first those that were given to streams which are lost.

    Raises FencedError when the stream was given up, StoreRefusedError when there are as many as an object may have.
    """
    _share(session, stream)
    if stream.number == LEAD and (free := _take_free_number(session, stream)) is not None:
        return free
    counter = (
        update(ExportAttempt)
        .where(_of(ExportAttempt, stream))
        .values(parts=ExportAttempt.parts + 1)
        .returning(ExportAttempt.parts)
    )
    number = session.scalars(counter).one()
    if number > PARTS_MAX:
        message = f"The rows fill more than the {PARTS_MAX} parts of one object; cut them by the option max_part_rows"
        raise StoreRefusedError(message)
    session.execute(insert(ExportPart).values(**_keys(stream), number=number, stream=stream.number))
    return number


def has_free_numbers(session: Session, stream: Stream) -> bool:
    """Whether parts of lost streams wait for the lead to send others in their places."""
    free = select(ExportPart.number).where(_of(ExportPart, stream), ExportPart.stream.is_(None))
    return session.scalar(select(free.exists())) or False


def finish_stream(session: Session, stream: Stream, sent: SentParts) -> None:
    """The parts of a stream are in the store. Raises FencedError when it was given up, so that they do not count."""
    stretches = [asdict(stretch) for stretch in sent.stretches]
    _write_as_owner(session, stream, state=StreamState.WRITTEN, lease_expires_at=None, stretches=stretches)
    for number, etag in sent.etags.items():
        session.execute(
            update(ExportPart).where(_of(ExportPart, stream), ExportPart.number == number).values(etag=etag)
        )


def give_up_stream(session: Session, stream: Stream, *, for_lead: bool = False) -> None:
    """Open the ranges of a stream that is not written, to all or `for_lead` alone; what it sent does not count.

    Where it has sent parts the lead reads its ranges, since only the lead fills their places. Nothing happens where it
    is written or was given up: the lead may have counted on it by now.
    """
    lost = and_(_of(ExportStream, stream), ExportStream.number == stream.number, _IS_WRITING)
    if session.scalar(select(ExportStream.number).where(lost).with_for_update()) is None:
        return
    has_sent = exists().where(_of(ExportPart, stream), ExportPart.stream == stream.number)
    session.execute(
        update(ExportRange)
        .where(_of(ExportRange, stream), ExportRange.stream == stream.number)
        .values(stream=None, is_for_lead=or_(ExportRange.is_for_lead, literal(for_lead), has_sent))
    )
    session.execute(
        update(ExportPart).where(_of(ExportPart, stream), ExportPart.stream == stream.number).values(stream=None)
    )
    session.execute(delete(ExportStream).where(lost))


def give_up_lost_streams(session: Session, lead: Stream) -> list[Stream]:
    """Give up the streams whose lease ran out; gives them."""
    expired = select(ExportStream.number).where(
        _of(ExportStream, lead), _IS_WRITING, ExportStream.lease_expires_at < now()
    )
    lost = [Stream(lead.task_id, lead.attempt, number) for number in session.scalars(expired)]
    for stream in lost:
        give_up_stream(session, stream)
    return lost


def has_unread_ranges(session: Session, lead: Stream) -> bool:
    """Whether a range is open, or in another's stream that is not written yet: asked at one moment, of all."""
    is_written = exists().where(
        ExportStream.task_id == ExportRange.task_id,
        ExportStream.attempt == ExportRange.attempt,
        ExportStream.number == ExportRange.stream,
        or_(ExportStream.number == LEAD, ~_IS_WRITING),
    )
    unread = select(ExportRange.number).where(_of(ExportRange, lead), ~is_written)
    return session.scalar(select(unread.exists())) or False


def list_written(session: Session, lead: Stream) -> tuple[list[ExportStream], dict[int, str]]:
    """The others' streams that are written, and the ETags of their parts."""
    written = select(ExportStream).where(_of(ExportStream, lead), ~_IS_WRITING)
    etags = select(ExportPart.number, ExportPart.etag).where(_of(ExportPart, lead), ExportPart.etag.is_not(None))
    return list(session.scalars(written)), {number: str(etag) for number, etag in session.execute(etags)}


_IS_WRITING = ExportStream.state == StreamState.WRITING
_OPEN_TO_ALL = (ExportRange.stream.is_(None), ExportRange.is_for_lead.is_(False))
_ANOTHER_WAITS = exists().where(
    Task.task_type == TaskType.EXPORT,
    Task.state.in_([TaskState.PENDING, TaskState.PROCESSING]),
    Task.lease_expires_at.is_(None),
    Task.due_at <= func.clock_timestamp(),
)

_Table = type[ExportAttempt] | type[ExportStream] | type[ExportRange] | type[ExportPart]


def _of(table: _Table, stream: Stream) -> ColumnElement[bool]:
    return and_(table.task_id == stream.task_id, table.attempt == stream.attempt)


def _keys(stream: Stream) -> dict[str, object]:
    return {"task_id": stream.task_id, "attempt": stream.attempt}


def _share(session: Session, stream: Stream) -> None:
    """Keep the stream from being given up until the transaction ends."""
    mine = select(ExportStream.number).where(
        _of(ExportStream, stream), ExportStream.number == stream.number, _IS_WRITING
    )
    if session.scalar(mine.with_for_update(read=True, key_share=True)) is None:
        raise FencedError(task_id=stream.task_id, stream=stream.number)


def _take_free_number(session: Session, stream: Stream) -> int | None:
    free = select(func.min(ExportPart.number)).where(_of(ExportPart, stream), ExportPart.stream.is_(None))
    taken = (
        update(ExportPart)
        .where(_of(ExportPart, stream), ExportPart.number == free.scalar_subquery())
        .values(stream=stream.number)
        .returning(ExportPart.number)
    )
    return session.scalar(taken)


def _write_as_owner(session: Session, stream: Stream, **values: object) -> None:
    """The fence: write only while the stream is being written, and the task runs under its attempt."""
    runs = exists().where(Task.id == stream.task_id, Task.attempt == stream.attempt, Task.state == TaskState.PROCESSING)
    written = session.scalar(
        update(ExportStream)
        .where(_of(ExportStream, stream), ExportStream.number == stream.number, _IS_WRITING, runs)
        .values(**values)
        .returning(ExportStream.number)
    )
    if written is None:
        raise FencedError(task_id=stream.task_id, stream=stream.number)
