"""Fetch: the source is read once, kept in our own bucket, and cut into chunks on the way."""

import hashlib
from collections.abc import Iterable

from schemas.entities import ENTITIES
from schemas.vocabulary import EntityType, TaskType
from service.config import Settings
from service.db.models import Task
from service.errors import FencedError, SourceRefusedError
from service.imports.boundaries import BoundaryFinder, ChunkSpan
from service.imports.chunks import plan_chunks
from service.imports.validate import check_header
from service.source.guard import AddressGuard
from service.source.http import SourceLimits, open_source
from service.tracking.keeper import LeaseKeeper
from service.tracking.lifecycle import StoredSource
from service.tracking.workbench import Workbench

_BLOCK_BYTES = 1024 * 1024
#: Messages that wake idle workers for a source of many chunks; more are sent while chunks stay open.
_HELPERS = 16


class Survey:
    """Reads a source block by block: its digest, its header, its chunks."""

    def __init__(self, task: Task, settings: Settings) -> None:
        """Begin at the first byte."""
        self._entity = ENTITIES[EntityType(task.entity_type)]
        self._limit_bytes = settings.file_max_bytes
        self._finder = BoundaryFinder(settings)
        self._digest = hashlib.sha256()
        self._header_checked = False
        self._spans: list[ChunkSpan] = []
        self.length_bytes = 0

    def read(self, block: bytes) -> None:
        """Take the next bytes; raises SourceRefusedError as soon as they cannot be imported."""
        self.length_bytes += len(block)
        if self.length_bytes > self._limit_bytes:
            message = f"The file is longer than {self._limit_bytes} bytes (WHARF_FILE_MAX_BYTES); split it"
            raise SourceRefusedError(message)
        self._digest.update(block)
        self._spans.extend(self._finder.feed(block))
        self._check_header()

    def finish(self, key: str) -> tuple[StoredSource, list[ChunkSpan]]:
        """The source as it is stored under `key`, and its chunks."""
        self._spans.extend(self._finder.finish())
        self._check_header()
        rows = sum(span.row_count for span in self._spans)
        source = StoredSource(key, self._digest.digest(), self.length_bytes, self._finder.header, rows)
        return source, self._spans

    def _check_header(self) -> None:
        if not self._header_checked and self._finder.header:
            check_header(self._entity, self._finder.header)
            self._header_checked = True


def fetch_source(bench: Workbench, task: Task, keeper: LeaseKeeper) -> None:
    """Store the source of a claimed import and plan its chunks; from then on the caller's URL is not read again.

    Raises SourceRefusedError when the bytes can never be imported, and transient errors when it is
    worth reading them again from the start.
    """
    survey = Survey(task, bench.settings)
    if task.upload_id is None:
        source, spans = _copy_source(bench, task, survey, keeper)
    else:
        source, spans = _read_upload(bench, task, survey, keeper)
    try:
        with bench.sessions.begin() as session:
            plan_chunks(session, task, spans)
        bench.callbacks.fetched(task, source)
    except FencedError:
        # Another attempt has begun, with a copy of its own.
        if task.upload_id is None:
            bench.store.delete(source.key)
        raise
    if len(spans) > 1:
        bench.dispatcher.dispatch(task.id, TaskType.IMPORT, copies=min(len(spans) - 1, _HELPERS))


def _copy_source(
    bench: Workbench, task: Task, survey: Survey, keeper: LeaseKeeper
) -> tuple[StoredSource, list[ChunkSpan]]:
    """From the caller's URL into the bucket; an error half-way leaves nothing there."""
    key = f"sources/{task.id}/{task.attempt}"
    guard, limits = (
        AddressGuard(bench.settings.allowed_hosts),
        SourceLimits.from_settings(bench.settings),
    )
    with (
        open_source(task.file_url, guard, limits) as blocks,
        bench.write_object(task, key, "text/csv") as writer,
    ):
        for block in _surveyed(blocks, survey, keeper):
            writer.write(block)
        planned = survey.finish(key)
        writer.complete()
    return planned


def _read_upload(
    bench: Workbench, task: Task, survey: Survey, keeper: LeaseKeeper
) -> tuple[StoredSource, list[ChunkSpan]]:
    """The bytes are in the bucket already; raises SourceRefusedError when nothing was uploaded."""
    key = str(task.source_key)
    head = bench.store.head(key)
    if head is None:
        message = f"Nothing was uploaded for {task.upload_id}; PUT the file to its upload_url, then create the task"
        raise SourceRefusedError(message)
    for _ in _surveyed(bench.store.stream(key, _BLOCK_BYTES, head.etag), survey, keeper):
        pass
    return survey.finish(key)


def _surveyed(blocks: Iterable[bytes], survey: Survey, keeper: LeaseKeeper) -> Iterable[bytes]:
    for block in blocks:
        survey.read(block)
        keeper.progress(survey.length_bytes)
        yield block
