"""Several workers, each a thread with connections of its own, that load the chunks of one import in a random order."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from random import Random
from threading import Event

from sqlalchemy import func, select

from schemas.vocabulary import ChunkState, TaskType
from service.db.models import Chunk, Task
from service.imports.chunks import ClaimedChunk, claim_chunk, reopen_chunk
from service.imports.fetch import fetch_source
from service.imports.load import load_chunk
from service.tracking.settle import is_database_away
from service.tracking.workbench import Workbench
from tests.integration.imports.lives import another_worker


@contextmanager
def fleet_of(bench: Workbench, count: int) -> Iterator[list[Workbench]]:
    """So many workers."""
    with ExitStack() as stack:
        yield [stack.enter_context(another_worker(bench, f"worker:{number}")) for number in range(count)]


def fetch_only(bench: Workbench, task: Task) -> None:
    """Plan the chunks of an import and load none."""
    claimed = bench.callbacks.claim(TaskType.IMPORT, bench.worker, task.id)
    assert claimed is not None
    with bench.keep_lease(claimed) as keeper:
        fetch_source(bench, claimed, keeper)


def load_together(workers: Sequence[Workbench], task: Task, seed: int) -> None:
    """Load all chunks; whoever has an idle hand takes one or several, and loads them in any order."""
    failed = Event()
    with ThreadPoolExecutor(len(workers)) as pool:
        loading = [
            pool.submit(_load_chunks, worker, task, Random(seed + place), failed)  # noqa: S311  # an order, no secret
            for place, worker in enumerate(workers)
        ]
        for loaded in loading:
            loaded.result()


def _load_chunks(bench: Workbench, task: Task, random: Random, failed: Event) -> None:
    hand: list[ClaimedChunk] = []
    try:
        while hand or (_has_unloaded(bench, task) and not failed.is_set()):
            wanted = random.randint(1, 4)
            while len(hand) < wanted and (claimed := _claim(bench)):
                hand.append(claimed)
            if hand:
                _load(bench, hand.pop(random.randrange(len(hand))))
    except BaseException:
        # The others would wait for its chunks.
        failed.set()
        raise


def _claim(bench: Workbench) -> ClaimedChunk | None:
    with bench.sessions.begin() as session:
        return claim_chunk(session, bench.worker, lease_seconds=60)


def _load(bench: Workbench, claimed: ClaimedChunk) -> None:
    """As a run does it, but with no delay after a deadlock."""
    try:
        load_chunk(bench, claimed)
    except Exception as error:
        if not is_database_away(error):
            raise
        with bench.sessions.begin() as session:
            reopen_chunk(session, claimed.chunk, "rolled back", delay_seconds=0)


def _has_unloaded(bench: Workbench, task: Task) -> bool:
    unloaded = select(func.count()).where(Chunk.task_id == task.id, Chunk.state != ChunkState.LOADED)
    with bench.sessions() as session:
        return bool(session.scalar(unloaded))
