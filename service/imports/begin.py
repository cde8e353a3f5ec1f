"""The step from a stored source to chunks that any worker may load."""

from collections.abc import Sequence

from schemas.vocabulary import TaskType
from service.db.models import Task
from service.imports.chunks import plan_chunks
from service.imports.formats.cutter import ChunkSpan
from service.tracking.lifecycle import StoredSource
from service.tracking.workbench import Workbench

#: Messages that wake idle workers for a source of many chunks; more are sent while chunks stay open.
_HELPERS = 16


def begin_loading(bench: Workbench, task: Task, source: StoredSource, spans: Sequence[ChunkSpan]) -> None:
    """Plan the chunks of a stored source and wake workers for them.

    Raises FencedError when another attempt owns the fetch by now.
    """
    with bench.sessions.begin() as session:
        plan_chunks(session, task, spans)
    bench.callbacks.fetched(task, source)
    if len(spans) > 1:
        bench.dispatcher.dispatch(task.id, TaskType.IMPORT, copies=min(len(spans) - 1, _HELPERS))
