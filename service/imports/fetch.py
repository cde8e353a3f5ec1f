"""Fetch: the source is read once, kept in our own bucket, and cut into chunks on the way."""

from collections.abc import Iterable

from schemas.entities import ENTITIES
from schemas.options import read_options
from schemas.vocabulary import EntityType, FileType
from service.db.models import Task
from service.errors import FencedError, SourceRefusedError
from service.imports.begin import begin_loading
from service.imports.survey import Survey
from service.source.guard import AddressGuard
from service.source.http import SourceLimits, open_source
from service.tracking.keeper import LeaseKeeper
from service.tracking.lifecycle import StoredSource
from service.tracking.workbench import Workbench

_BLOCK_BYTES = 1024 * 1024


def fetch_source(bench: Workbench, task: Task, keeper: LeaseKeeper) -> None:
    """Store the source of a claimed import and plan its chunks; from then on the caller's URL is not read again.

    Raises SourceRefusedError when the bytes can never be imported, and transient errors when it is
    worth reading them again from the start.
    """
    entity = ENTITIES[EntityType(task.entity_type)]
    options = read_options(entity.type, task.options)
    survey = Survey(entity, FileType(task.file_type), options, bench.settings)
    if task.upload_id is None:
        source = _copy_source(bench, task, survey, keeper)
    else:
        source = _read_upload(bench, task, survey, keeper)
    try:
        begin_loading(bench, task, source, survey.spans)
    except FencedError:
        # Another attempt has begun, with a copy of its own.
        if task.upload_id is None:
            bench.store.delete(source.key)
        raise


def _copy_source(bench: Workbench, task: Task, survey: Survey, keeper: LeaseKeeper) -> StoredSource:
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
        survey.finish()
        writer.complete()
    return _stored(key, survey)


def _read_upload(bench: Workbench, task: Task, survey: Survey, keeper: LeaseKeeper) -> StoredSource:
    """The bytes are in the bucket already; raises SourceRefusedError when nothing was uploaded."""
    key = str(task.source_key)
    head = bench.store.head(key)
    if head is None:
        message = f"Nothing was uploaded for {task.upload_id}; PUT the file to its upload_url, then create the task"
        raise SourceRefusedError(message)
    for _ in _surveyed(bench.store.stream(key, _BLOCK_BYTES, head.etag), survey, keeper):
        pass
    survey.finish()
    return _stored(key, survey)


def _stored(key: str, survey: Survey) -> StoredSource:
    return StoredSource(key, survey.digest, survey.length_bytes, survey.header, survey.rows, survey.format.to_json())


def _surveyed(blocks: Iterable[bytes], survey: Survey, keeper: LeaseKeeper) -> Iterable[bytes]:
    for block in blocks:
        survey.read(block)
        keeper.progress(survey.length_bytes)
        yield block
