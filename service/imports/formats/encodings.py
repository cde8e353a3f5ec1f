"""In which encoding a text file is written, and the same text as UTF-8."""

import codecs
import re
from collections.abc import Iterable, Iterator
from itertools import chain

from service.errors import SourceRefusedError

UTF_8 = "utf-8"
#: How much of a file is looked at to find its encoding.
SAMPLE_BYTES = 1024 * 1024

_MARKS = {
    codecs.BOM_UTF8: UTF_8,
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
_UTF_16_LOOKED_AT = 1024
#: In UTF-16 without a mark, how many of the high bytes are NUL at least: headers are mostly ASCII.
_NUL_SHARE = 0.8

_UTF_8_CHARACTER = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_HIGH_BYTE = re.compile(rb"[\x80-\xff]")
# The euro, quotes, dashes, the ellipsis and what else is printed on keyboards; letters but the rare y with
# two dots, which is the byte 255 of files that are no text.
_PLAUSIBLE = (
    rb"[\x80\x85\x8a\x8c\x8e\x91-\x97\x99\x9a\x9c\x9e\x9f\xa0-\xa3\xa7\xa9\xab\xae\xb0-\xb5\xb7\xba\xbb\xbf-\xfe]"
)
_WINDOWS_1252 = re.compile(
    rb"(?<=[A-Za-z])(?:%(one)b){1,3}|(?:%(one)b){1,3}(?=[A-Za-z])|(?<=[0-9 ])%(one)b(?=[0-9 ,;\t\r\n])"
    % {b"one": _PLAUSIBLE}
)


def find_encoding(start: bytes, given: str | None) -> str:
    """The encoding that was given, or the one that a file's first MiB speaks for.

    A byte order mark, else UTF-16 when nearly every second byte is NUL, else UTF-8. Windows-1252 only
    when there is no UTF-8 character but ASCII, and each other byte is a letter or a mark beside ASCII text.
    """
    if given and given != "utf-16":
        return given
    marked = next((name for mark, name in _MARKS.items() if start.startswith(mark)), None)
    if marked:
        return marked
    low, high = start[0:_UTF_16_LOOKED_AT:2], start[1:_UTF_16_LOOKED_AT:2]
    if len(high) > 1 and high.count(0) >= _NUL_SHARE * len(high) and not low.count(0):
        return "utf-16-le"
    if len(high) > 1 and low.count(0) >= _NUL_SHARE * len(low) and not high.count(0):
        return "utf-16-be"
    if given:
        return "utf-16-le"
    return "windows-1252" if _is_windows_1252(start) else UTF_8


def _is_windows_1252(text: bytes) -> bool:
    if text.isascii() or _UTF_8_CHARACTER.search(text):
        return False
    return _HIGH_BYTE.search(_WINDOWS_1252.sub(b"", text)) is None


def read_sample(blocks: Iterable[bytes]) -> tuple[bytes, Iterator[bytes]]:
    """The first MiB of a file, or all of it, and the whole of it again."""
    rest = iter(blocks)
    taken: list[bytes] = []
    missing = SAMPLE_BYTES
    while missing > 0 and (block := next(rest, None)) is not None:
        taken.append(block)
        missing -= len(block)
    return b"".join(taken)[:SAMPLE_BYTES], chain(taken, rest)


def transcode(blocks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """The text of the blocks as UTF-8, without a byte order mark.

    Iterating raises SourceRefusedError where bytes are none of the encoding, with the place of the first.
    """
    decoder = codecs.getincrementaldecoder(encoding)()
    passed_bytes = 0
    is_first = True
    for block, is_last in chain(((block, False) for block in blocks), [(b"", True)]):
        waiting_bytes = len(decoder.getstate()[0])
        try:
            text = decoder.decode(block, final=is_last)
        except UnicodeDecodeError as error:
            place = passed_bytes - waiting_bytes + error.start + 1
            message = (
                f"The file is no {encoding} text: byte {place} cannot be read; name its encoding, or save it as UTF-8"
            )
            raise SourceRefusedError(message) from error
        passed_bytes += len(block)
        if text and is_first:
            text, is_first = text.removeprefix("\ufeff"), False
        if text:
            yield text.encode()
