"""Fetch: the source is read once, kept in our own bucket as plain UTF-8, and cut into chunks on the way."""

from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from hashlib import sha256

from schemas.entities import ENTITIES
from schemas.options import read_options
from schemas.vocabulary import EntityType, FileType
from service.connections.destinations import find_object
from service.db.models import Task
from service.errors import FencedError, SourceRefusedError
from service.imports.begin import begin_loading
from service.imports.formats.opening import OpenText, check_parquet, open_text
from service.imports.formats.parquet import parquet_lines
from service.imports.survey import Survey
from service.source.ahead import read_ahead
from service.source.guard import AddressGuard
from service.source.http import SourceLimits, open_source
from service.storage.multipart import WrittenObject
from service.storage.objects import ObjectHead
from service.tracking.keeper import LeaseKeeper
from service.tracking.lifecycle import StoredSource
from service.tracking.workbench import Workbench

_BLOCK_BYTES = 1024 * 1024
_CONTENT_TYPES = {FileType.CSV: "text/csv", FileType.PARQUET: "application/vnd.apache.parquet"}
_JSON_LINES = "application/x-ndjson"


def fetch_source(bench: Workbench, task: Task, keeper: LeaseKeeper) -> None:
    """Store the source of a claimed import and plan its chunks; from then on the caller's URL is not read again.

    Raises SourceRefusedError when the bytes can never be imported, and transient errors when it is
    worth reading them again from the start.
    """
    fetch = _Fetch(bench, task, keeper)
    with fetch.open_blocks() as opened, closing(read_ahead(opened)) as blocks:
        source = fetch.convert(blocks) if fetch.file_type is FileType.PARQUET else fetch.keep_text(blocks)
    try:
        begin_loading(bench, task, source, fetch.spans)
    except FencedError:
        # Another attempt has begun, with a copy of its own.
        fetch.forget(source.key)
        raise


class _Fetch:
    """One attempt to fetch the source of a task."""

    def __init__(self, bench: Workbench, task: Task, keeper: LeaseKeeper) -> None:
        self.file_type = FileType(task.file_type)
        self._bench = bench
        self._task = task
        self._keeper = keeper
        self._copy_key = f"sources/{task.id}/{task.attempt}"
        # An upload, or the refused rows of another task: in the bucket already, and not ours to delete.
        self._is_stored = task.source_key is not None and not task.file_url
        entity = ENTITIES[EntityType(task.entity_type)]
        self._options = read_options(entity.type, task.options)
        # Parquet is turned into JSON lines before it is surveyed.
        read_as = FileType.NDJSON if self.file_type is FileType.PARQUET else self.file_type
        self._survey = Survey(entity, read_as, self._options, bench.settings)
        self.spans = self._survey.spans

    @contextmanager
    def open_blocks(self) -> Iterator[Iterable[bytes]]:
        """The bytes of the source as they come: from the caller's URL, from the caller's bucket, or from our own."""
        if self._is_stored:
            head = self._find_stored()
            yield self._bench.store.stream(str(self._task.source_key), _BLOCK_BYTES, head.etag)
            return
        if self._task.connection_id is not None:
            yield self._open_theirs()
            return
        guard = AddressGuard(self._bench.settings.allowed_hosts)
        limits = SourceLimits.from_settings(self._bench.settings)
        with open_source(self._task.file_url, guard, limits) as blocks:
            yield blocks

    def _open_theirs(self) -> Iterable[bytes]:
        """An object in the caller's bucket, as it is now: a change while it is read is noticed."""
        bench, task = self._bench, self._task
        store, key = find_object(bench.sessions, bench.settings, bench.store, task)
        head = store.head(key)
        if head is None:
            message = f"There is no object {task.file_url}; put it there and create a new task"
            raise SourceRefusedError(message)
        if head.size_bytes > bench.settings.file_max_bytes:
            message = (
                f"The source is larger than {bench.settings.file_max_bytes} bytes (WHARF_FILE_MAX_BYTES); split it"
            )
            raise SourceRefusedError(message)
        return store.stream(key, _BLOCK_BYTES, head.etag)

    def keep_text(self, blocks: Iterable[bytes]) -> StoredSource:
        """Survey a text file; one in the bucket that is plain UTF-8 stays where it is, all else is copied."""
        text = open_text(blocks, self._options.encoding, self._bench.settings.file_max_bytes)
        if self._is_stored and text.is_as_it_came:
            digest = sha256()
            for block in text.blocks:
                self._read(block)
                digest.update(block)
            self._survey.finish()
            return self._stored(str(self._task.source_key), digest.digest(), text)
        written = self._copy(text.blocks, _CONTENT_TYPES.get(self.file_type, _JSON_LINES))
        return self._stored(self._copy_key, bytes.fromhex(written.sha256), text)

    def convert(self, blocks: Iterable[bytes]) -> StoredSource:
        """Turn a Parquet file into JSON lines; what comes from a URL is stored first, to be read in ranges."""
        key, head = self._keep_parquet(blocks)
        store = self._bench.store
        try:
            check_parquet(store.open_range(key, 0, min(_BLOCK_BYTES, head.size_bytes), head.etag))
            lines = parquet_lines(
                lambda start, end: store.open_range(key, start, end, head.etag),
                head.size_bytes,
                self._bench.settings.columns_max,
            )
            written = self._copy(lines, _JSON_LINES)
        finally:
            self.forget(key)
        return self._stored(self._copy_key, bytes.fromhex(written.sha256))

    def forget(self, key: str) -> None:
        """Delete an object, unless it was there before."""
        if not self._is_stored or key != self._task.source_key:
            self._bench.store.delete(key)

    def _find_stored(self) -> ObjectHead:
        head = self._bench.store.head(str(self._task.source_key))
        if head is None:
            upload = self._task.upload_id
            message = f"Nothing was uploaded for {upload}; PUT the file to its upload_url, then create the task"
            if upload is None:
                message = (
                    f"The refused rows of {self._task.parent_task_id} are no longer in the bucket; import its source"
                )
            raise SourceRefusedError(message)
        return head

    def _keep_parquet(self, blocks: Iterable[bytes]) -> tuple[str, ObjectHead]:
        """The stored Parquet file; raises SourceRefusedError when there is no such upload."""
        if self._is_stored:
            return str(self._task.source_key), self._find_stored()
        key = f"{self._copy_key}.parquet"
        with self._bench.write_object(self._task, key, _CONTENT_TYPES[FileType.PARQUET]) as writer:
            for block in blocks:
                writer.write(block)
                self._keeper.progress(0)
            written = writer.complete()
        return key, ObjectHead(written.size_bytes, written.etag, _CONTENT_TYPES[FileType.PARQUET], {})

    def _copy(self, blocks: Iterable[bytes], content_type: str) -> WrittenObject:
        """Survey the blocks on their way into the bucket; an error half-way leaves nothing there."""
        with self._bench.write_object(self._task, self._copy_key, content_type) as writer:
            for block in blocks:
                self._read(block)
                writer.write(block)
            self._survey.finish()
            return writer.complete()

    def _read(self, block: bytes) -> None:
        self._survey.read(block)
        self._keeper.progress(self._survey.length_bytes)

    def _stored(self, key: str, digest: bytes, text: OpenText | None = None) -> StoredSource:
        survey = self._survey
        found = replace(survey.format, file_type=str(self.file_type))
        if text:
            found = replace(found, compression=text.compression, encoding=text.encoding)
        return StoredSource(key, digest, survey.length_bytes, survey.header, survey.rows, found.to_json())
