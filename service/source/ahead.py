"""Reading ahead: the next blocks of a source are on their way while one is worked on."""

from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

#: Enough to bridge the moments at which either side is busy; the blocks are 256 KiB each.
BLOCKS_AHEAD: Final = 8


def read_ahead(blocks: Iterable[bytes], most: int = BLOCKS_AHEAD) -> Generator[bytes, None, None]:
    """The same blocks in the same order, up to `most` of them read by a thread before they are asked for.

    An error of the source is raised where its block would have come. When the iteration is given up, the
    block that is being read is waited for, so that nobody reads a source that is closed.
    """
    source = iter(blocks)
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="read-ahead") as reader:
        coming: deque[Future[bytes | None]] = deque(reader.submit(next, source, None) for _ in range(most))
        try:
            while (block := coming.popleft().result()) is not None:
                coming.append(reader.submit(next, source, None))
                yield block
        finally:
            for future in coming:
                future.cancel()
