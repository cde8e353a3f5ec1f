"""What becomes of rows on their way into an object: laid out, packed, written."""

from typing import Protocol

from service.exports.compress import make_packer
from service.exports.formats import Format
from service.exports.parquet import ParquetEncoder
from service.exports.query import ExportQuery


class Sink(Protocol):
    """Takes the bytes of an object in their order."""

    def write(self, block: bytes | bytearray | memoryview) -> None:
        """Add bytes."""


class Encoder(Protocol):
    """Turns blocks of whole rows, as the format's COPY writes them, into the bytes of a file."""

    def add(self, block: bytearray) -> None:
        """Add the next rows, of which there is at least one."""

    def finish(self) -> None:
        """Write what was held back, and the file's end."""


class TextEncoder:
    """Lays out and packs a file of text."""

    def __init__(self, form: Format, sink: Sink) -> None:
        """Nothing is written yet."""
        self._opening: bytes | None = form.opening
        self._form = form
        self._packer = make_packer(form.compression)
        self._sink = sink

    def add(self, block: bytearray) -> None:
        """See Encoder."""
        if self._opening is not None:
            # Before the first row of the file nothing is to be joined.
            block[: len(self._form.joiner)] = self._opening
            self._opening = None
        self._sink.write(self._packer.compress(block))

    def finish(self) -> None:
        """See Encoder."""
        end = (self._opening or b"") + self._form.closing
        if end:
            self._sink.write(self._packer.compress(end))
        self._sink.write(self._packer.flush())


def make_encoder(form: Format, query: ExportQuery, sink: Sink) -> Encoder:
    """An encoder of a whole file."""
    if form.is_one_stream:
        return ParquetEncoder(sink.write, query, form.compression)
    return TextEncoder(form, sink)
