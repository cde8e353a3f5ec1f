"""The rows of one COPY as the server sends them, taken in blocks of whole rows.

The driver's own way makes several Python objects of each row; with a million rows that takes longer than PostgreSQL
needs to write them. So its library is asked directly, as the driver does, with nothing in between.
"""

import select
from collections.abc import Callable, Iterator
from typing import Any, Self

import psycopg
from psycopg import pq, sql
from psycopg.errors import error_from_result
from psycopg.pq.abc import PGresult

#: How much is gathered before something is done with it.
BLOCK_BYTES = 1024 * 1024
#: How often somebody is told that a query still runs which gives no rows.
_PATIENCE_SECONDS = 1.0

#: Told how many bytes were read by now; raises FencedError when the work is somebody else's.
Progress = Callable[[int], None]


class RowReader:
    """Reads a COPY … TO STDOUT; leave the block early and the connection is closed, since nobody reads the rest.

    `rows` and `bytes` are what was given so far. Methods raise psycopg's errors. `progress` is called with each block,
    and every second in which no row comes.
    """

    def __init__(self, connection: psycopg.Connection[Any], statement: sql.Composed, progress: Progress) -> None:
        """Nothing is sent before the block is entered."""
        self.rows = 0
        self.bytes = 0
        self._connection = connection
        self._statement = statement
        self._progress = progress
        self._ahead = bytearray()
        self._is_done = False

    def __enter__(self) -> Self:
        """Begin the COPY."""
        pgconn = self._connection.pgconn
        pgconn.send_query(self._statement.as_bytes(self._connection))
        while pgconn.flush():
            select.select([], [self._connection.fileno()], [])
        self._await_answer()
        result = pgconn.get_result()
        if result is None or result.status != pq.ExecStatus.COPY_OUT:
            self._end(result)
        return self

    def __exit__(self, *_error: object) -> None:
        """Leave the connection usable, or closed."""
        if not self._is_done:
            self._connection.close()

    def has_more(self) -> bool:
        """Whether there is another row."""
        if not self._ahead:
            self._ahead, _ = self._gather(1, 1)
        return bool(self._ahead)

    def blocks(self, rows_max: int | None = None) -> Iterator[bytearray]:
        """The next rows, at most so many, in blocks of a little more than 1 MiB."""
        last = None if rows_max is None else self.rows + rows_max
        while self.rows != last and self.has_more():
            rest, rows = self._gather(BLOCK_BYTES, None if last is None else last - self.rows - 1)
            block, self._ahead = self._ahead + rest, bytearray()
            self.rows += rows + 1
            self.bytes += len(block)
            self._progress(self.bytes)
            yield block

    def _gather(self, bytes_wanted: int, rows_max: int | None) -> tuple[bytearray, int]:
        """Rows as long as there are some, and how many: a message each, and a header would be one."""
        block, rows, get_row = bytearray(), 0, self._connection.pgconn.get_copy_data
        while len(block) < bytes_wanted and rows != rows_max and not self._is_done:
            length, row = get_row(1)
            if length > 0:
                block += row
                rows += 1
            elif length == 0:
                self._wait()
            else:
                self._await_answer()
                self._end(self._connection.pgconn.get_result())
        return block, rows

    def _wait(self) -> None:
        """Until the server has sent something; raises OperationalError when it is gone."""
        poll = select.poll()
        poll.register(self._connection.fileno(), select.POLLIN)
        while not poll.poll(_PATIENCE_SECONDS * 1000):
            self._progress(self.bytes)
        self._connection.pgconn.consume_input()

    def _await_answer(self) -> None:
        while self._connection.pgconn.is_busy():
            self._wait()

    def _end(self, result: PGresult | None) -> None:
        """The COPY is over: well, or with the server's error."""
        while result is not None:
            self._await_answer()
            following = self._connection.pgconn.get_result()
            if result.status != pq.ExecStatus.COMMAND_OK:
                self._is_done = True
                raise error_from_result(result, encoding="utf-8")
            result = following
        self._is_done = True
