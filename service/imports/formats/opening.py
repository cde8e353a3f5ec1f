"""Takes off what a file is wrapped in: compression, and an encoding other than UTF-8."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from schemas.vocabulary import FileType
from service.errors import SourceRefusedError
from service.imports.formats.encodings import UTF_8, find_encoding, read_sample, transcode
from service.source.decompress import InflateLimit, inflate

_PARQUET = b"PAR1"


@dataclass(frozen=True, slots=True)
class OpenText:
    """The text of a source as UTF-8 blocks, and what it came in."""

    blocks: Iterator[bytes]
    compression: str
    encoding: str

    @property
    def is_as_it_came(self) -> bool:
        """Whether the blocks are the very bytes that came."""
        return self.compression == "none" and self.encoding == UTF_8


def open_text(blocks: Iterable[bytes], encoding: str | None, max_bytes: int) -> OpenText:
    """The text of a file's blocks; `encoding` is None where it is to be found.

    Here and while the blocks are read SourceRefusedError is raised: compressed data is damaged, cut off
    or a bomb, characters cannot be read, or the text is longer than `max_bytes`.
    """
    inflated = inflate(blocks, InflateLimit())
    sample, whole = read_sample(_capped(inflated.blocks, max_bytes))
    name = find_encoding(sample, encoding)
    if name != UTF_8:
        whole = _capped(transcode(whole, name), max_bytes)
    return OpenText(whole, inflated.compression, name)


def check_parquet(start: bytes) -> None:
    """Raise SourceRefusedError when a source that is called Parquet does not begin as one."""
    if not start.startswith(_PARQUET):
        found = "compressed; a Parquet file is inside already, send it as it is" if _is_compressed(start) else "no such"
        message = f"The file_type is {FileType.PARQUET}, but the file is {found}; name the file_type that it has"
        raise SourceRefusedError(message)


def _is_compressed(start: bytes) -> bool:
    return inflate([start], InflateLimit()).compression != "none"


def _capped(blocks: Iterable[bytes], max_bytes: int) -> Iterator[bytes]:
    length_bytes = 0
    for block in blocks:
        length_bytes += len(block)
        if length_bytes > max_bytes:
            message = f"The file is longer than {max_bytes} bytes (WHARF_FILE_MAX_BYTES); split it"
            raise SourceRefusedError(message)
        yield block
