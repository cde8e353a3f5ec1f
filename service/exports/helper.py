"""Helping with another worker's export: some of its ranges become parts that this worker sends."""

from functools import partial

from service.exports.parts import PartCutter
from service.exports.plan import ExportPlan, plan_export
from service.exports.query import Blocks
from service.exports.ranges import (
    JoinedStream,
    Stream,
    claim_range,
    finish_stream,
    give_up_stream,
    join_export,
    renew_stream,
)
from service.exports.rows import RowReader
from service.exports.shared import take_number
from service.exports.snapshot import adopt_snapshot
from service.storage.shared_parts import PartSender
from service.tracking.keeper import LeaseKeeper
from service.tracking.settle import log_failure
from service.tracking.workbench import Workbench

_Part = tuple[bytearray, int]


def help_export(bench: Workbench) -> bool:
    """Help with the running export that began first and has open ranges; False when nothing came of it.

    What goes wrong here is no error of the task: the ranges are open again, and who leads it reads them, or meets the
    same error.
    """
    lease_seconds = bench.settings.lease_seconds
    with bench.sessions.begin() as session:
        joined = join_export(session, bench.worker, lease_seconds)
    if joined is None:
        return False
    stall_seconds = 2 * bench.settings.source_read_seconds + lease_seconds
    try:
        with LeaseKeeper(lambda _: _renew(bench, joined.stream), lease_seconds, stall_seconds) as keeper:
            return _write_stream(bench, joined, keeper)
    except Exception as error:  # noqa: BLE001  # as for a chunk: the work is handed back, whatever it was
        log_failure("stream_failed", error, task_id=joined.task.id, stream=joined.stream.number)
        _give_up(bench, joined.stream)
        return False


def _write_stream(bench: Workbench, joined: JoinedStream, keeper: LeaseKeeper) -> bool:
    """Read ranges as long as there are some. What is too short to stand in the midst of an object is the lead's."""
    plan = plan_export(bench, joined.task)
    store, number = plan.destination.store, partial(take_number, bench, joined.stream)
    with PartSender(store, joined.object_key, joined.upload_id, number) as sender:
        cutter = PartCutter(plan.form, sender, plan.part_bytes)
        held = _read_ranges(bench, plan, joined, keeper, cutter, sender)
        last = cutter.take()
        if held is None and len(last[0]) < cutter.least_bytes:
            _give_up(bench, joined.stream, for_lead=True)
            return False
        for part, rows in _join_short(held, last, cutter.least_bytes):
            sender.send(part, rows)
        sent = sender.finish()
    with bench.sessions.begin() as session:
        finish_stream(session, joined.stream, sent)
    return True


def _read_ranges(
    bench: Workbench,
    plan: ExportPlan,
    joined: JoinedStream,
    keeper: LeaseKeeper,
    cutter: PartCutter,
    sender: PartSender,
) -> _Part | None:
    """Read through the lead's snapshot and send full parts, but for the last one, which is given back."""
    held: _Part | None = None
    done = 0
    with adopt_snapshot(bench.sessions, joined.snapshot) as connection:
        while (blocks := _claim(bench, joined.stream)) is not None:
            rows = 0
            with RowReader(connection, plan.form.copy(plan.query, blocks), partial(_tell, keeper, done)) as reader:
                for block in reader.blocks():
                    cutter.add(block, reader.rows - rows)
                    rows = reader.rows
                    if cutter.is_full:
                        if held is not None:
                            sender.send(*held)
                        held = cutter.take()
            done += reader.bytes
    return held


def _join_short(held: _Part | None, last: _Part, least_bytes: int) -> list[_Part]:
    """The last two parts; one, if the last is too short to stand before others."""
    if held is None:
        return [last]
    if len(last[0]) >= least_bytes:
        return [held, last]
    return [(held[0] + last[0], held[1] + last[1])]


def _claim(bench: Workbench, stream: Stream) -> Blocks | None:
    with bench.sessions.begin() as session:
        return claim_range(session, stream)


def _tell(keeper: LeaseKeeper, bytes_before: int, bytes_read: int) -> None:
    keeper.progress(bytes_before + bytes_read)


def _renew(bench: Workbench, stream: Stream) -> None:
    with bench.sessions.begin() as session:
        renew_stream(session, stream, bench.settings.lease_seconds)


def _give_up(bench: Workbench, stream: Stream, *, for_lead: bool = False) -> None:
    with bench.sessions.begin() as session:
        give_up_stream(session, stream, for_lead=for_lead)
