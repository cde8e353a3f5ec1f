"""Several workers write one object: each reads ranges of the table through one snapshot, and sends parts of whole rows.

The lead sends the first part, which opens the file, before others may join, and the last, which closes it. In between
parts stand as they come.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Event

import structlog

from schemas.vocabulary import TaskType
from service.errors import NotFoundError, StoreUnavailableError, WharfError
from service.exports.manifest import Part
from service.exports.parts import PartCutter
from service.exports.plan import ExportPlan
from service.exports.query import Blocks
from service.exports.ranges import (
    Stream,
    claim_range,
    give_up_lost_streams,
    has_free_numbers,
    has_unread_ranges,
    let_others_join,
    list_written,
    number_part,
    plan_ranges,
)
from service.exports.rows import Progress, RowReader
from service.exports.snapshot import Snapshot, share_snapshot
from service.storage.shared_parts import PartSender, SentParts, Stretch
from service.tracking.workbench import Workbench

#: To how many workers the message is sent that they may help.
_HELPERS = 7
_WAIT_SECONDS = 0.05
_NOT_REPLACED = "What a lost worker had sent could not be replaced; the export is tried again"

_log = structlog.get_logger(__name__)


def write_shared(
    bench: Workbench, plan: ExportPlan, snapshot: Snapshot, ranges: Sequence[Blocks], progress: Progress
) -> list[Part]:
    """Write one object together with whoever has nothing else to do; nothing of it is left when that fails."""
    with bench.sessions.begin() as session:
        stream = plan_ranges(session, plan.task, ranges, bench.worker)
    with (
        _upload(plan) as upload_id,
        PartSender(plan.destination.store, plan.key, upload_id, lambda: take_number(bench, stream)) as sender,
    ):
        lead = _Lead(bench, plan, snapshot, stream, upload_id, sender, progress)
        lead.write_rows()
        return _complete(bench, plan, stream, upload_id, lead.finish())


def take_number(bench: Workbench, stream: Stream) -> int:
    """The number of a stream's next part; see number_part."""
    with bench.sessions.begin() as session:
        return number_part(session, stream)


@contextmanager
def _upload(plan: ExportPlan) -> Iterator[str]:
    """An upload that is aborted when the block fails; upkeep looks for what arrives afterwards."""
    store = plan.destination.store
    upload_id = store.begin_multipart(plan.key, plan.form.content_type, plan.metadata)
    try:
        yield upload_id
    except BaseException:
        try:
            store.abort_multipart(plan.key, upload_id)
        except WharfError as failure:
            _log.warning("multipart_not_aborted", key=plan.key, code=failure.code)
        raise


class _Lead:
    """Reads ranges like anybody, and what others leave undone."""

    def __init__(
        self,
        bench: Workbench,
        plan: ExportPlan,
        snapshot: Snapshot,
        stream: Stream,
        upload_id: str,
        sender: PartSender,
        progress: Progress,
    ) -> None:
        self._bench = bench
        self._plan = plan
        self._snapshot = snapshot
        self._stream = stream
        self._upload_id = upload_id
        self._sender = sender
        self._progress = progress
        self._cutter = PartCutter(plan.form, sender, plan.part_bytes)
        # While rows are read its connection takes no other command.
        self._shared = share_snapshot(snapshot)
        self._opening: bytes | None = plan.form.opening
        self._is_alone = True
        self._has_free_numbers = False
        self._bytes_read = 0

    def write_rows(self) -> None:
        """Read ranges until all are in the lead's stream, or in another that is written."""
        is_done = False
        while not is_done:
            with self._bench.sessions.begin() as session:
                blocks = claim_range(session, self._stream)
            if blocks is None:
                is_done = not self._is_waiting()
            else:
                self._read(blocks)

    def finish(self) -> SentParts:
        """Send the rest and the file's end; all that the lead sent.

        The end gets a number of its own where another's place is still free, which would be in the midst of the file.
        """
        if self._finds_free_numbers() and self._cutter.is_long_enough:
            self._cutter.send()
        if self._finds_free_numbers():
            raise StoreUnavailableError(_NOT_REPLACED, key=self._plan.key)
        end = (self._opening or b"") + self._plan.form.closing
        if end:
            self._cutter.add(end, 0)
        self._cutter.send()
        return self._sender.finish()

    def _read(self, blocks: Blocks) -> None:
        before, rows = self._bytes_read, 0
        statement = self._plan.form.copy(self._plan.query, blocks)
        with RowReader(self._snapshot.connection, statement, lambda done: self._progress(before + done)) as reader:
            for block in reader.blocks():
                self._add(block, reader.rows - rows)
                rows = reader.rows
        self._bytes_read += reader.bytes

    def _add(self, block: bytearray, rows: int) -> None:
        if self._opening is not None:
            # Before the first row of the file nothing is to be joined.
            block[: len(self._plan.form.joiner)] = self._opening
            self._opening = None
        self._cutter.add(block, rows)
        # The places of lost parts are filled with parts as short as may be, so that the rows of the lost ones suffice.
        is_due = self._cutter.is_long_enough if self._is_alone or self._has_free_numbers else self._cutter.is_full
        if is_due:
            self._cutter.send()
            if self._is_alone:
                self._invite()
            if self._has_free_numbers:
                self._has_free_numbers = self._finds_free_numbers()

    def _finds_free_numbers(self) -> bool:
        with self._bench.sessions() as session:
            return has_free_numbers(session, self._stream)

    def _invite(self) -> None:
        """The file is opened: others may join."""
        self._is_alone = False
        with self._bench.sessions.begin() as session:
            let_others_join(session, self._stream, self._plan.key, self._upload_id, self._shared)
        self._bench.dispatcher.dispatch(self._plan.task.id, TaskType.EXPORT, copies=_HELPERS)

    def _is_waiting(self) -> bool:
        """Whether somebody still reads, or a range is open again because it was lost."""
        self._progress(self._bytes_read)
        with self._bench.sessions.begin() as session:
            for lost in give_up_lost_streams(session, self._stream):
                _log.warning("stream_lost", task_id=lost.task_id, attempt=lost.attempt, stream=lost.number)
            self._has_free_numbers = has_free_numbers(session, self._stream)
            is_waiting = has_unread_ranges(session, self._stream)
        if is_waiting:
            Event().wait(_WAIT_SECONDS)
        return is_waiting


def _complete(bench: Workbench, plan: ExportPlan, lead: Stream, upload_id: str, own: SentParts) -> list[Part]:
    """Make the object appear, and have the store confirm its length."""
    with bench.sessions.begin() as session:
        streams, etags = list_written(session, lead)
    stretches = [*own.stretches, *(Stretch(**told) for stream in streams for told in stream.stretches or ())]
    parts = [
        Part(plan.key, stretch.rows, stretch.bytes, stretch.sha256)
        for stretch in sorted(stretches, key=lambda stretch: stretch.first_number)
    ]
    store, together = plan.destination.store, {**etags, **own.etags}
    if sorted(together) != list(range(1, len(together) + 1)):
        raise StoreUnavailableError(_NOT_REPLACED, key=plan.key)
    try:
        store.complete_multipart(plan.key, upload_id, together)
    except NotFoundError:
        # A repeated request whose first answer was lost: the head tells whether the object is there.
        _log.info("multipart_not_open", key=plan.key)
    head = store.head(plan.key)
    if head is None or head.size_bytes != sum(part.bytes for part in parts):
        message = "The object store lost bytes of an upload; it is tried again"
        raise StoreUnavailableError(message, key=plan.key)
    return parts
