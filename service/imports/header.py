"""The first record of a source: its columns' names, or a reason that it is not CSV text at all."""

import codecs

from service.errors import SourceRefusedError
from service.imports.dialect import split_cells
from service.imports.limits import Limits

BOM = codecs.BOM_UTF8
#: As many bytes as it takes to tell other formats by how they begin.
SIGNATURE_BYTES = 8

_SIGNATURES = {
    b"\x1f\x8b": "a gzip file; decompress it",
    b"PK\x03\x04": "a zip or xlsx file; unpack it, or save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "an old Excel file; save the sheet as CSV",
    b"PAR1": "a Parquet file; convert it to CSV",
    b"\x28\xb5\x2f\xfd": "a zstd file; decompress it",
    b"BZh": "a bzip2 file; decompress it",
    b"\xfd7zXZ\x00": "an xz file; decompress it",
    b"%PDF-": "a PDF; save the table as CSV",
    codecs.BOM_UTF16_LE: "text in UTF-16; save it as UTF-8",
    codecs.BOM_UTF16_BE: "text in UTF-16; save it as UTF-8",
}


def refuse_other_formats(start: bytes) -> None:
    """Raise SourceRefusedError when the first bytes are those of a format that is not text."""
    for signature, name in _SIGNATURES.items():
        if start.startswith(signature):
            message = f"The file is not UTF-8 CSV text: it looks like {name} and create a new task"
            raise SourceRefusedError(message)


def refuse_binary(start: bytes, *, is_cut: bool = True) -> None:
    """Raise SourceRefusedError when the header's bytes, perhaps cut within a character, are not UTF-8 text."""
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(start, final=not is_cut)
    except UnicodeDecodeError as error:
        message = f"The file is not UTF-8 CSV text: byte {error.start + 1} of the header is not UTF-8; save it as UTF-8"
        raise SourceRefusedError(message) from error
    if "\0" in text:
        message = (
            "The file is not UTF-8 CSV text: its header holds a NUL byte; is it text in UTF-16, or another format?"
        )
        raise SourceRefusedError(message)


def read_header(record: bytes, limits: Limits) -> tuple[str, ...]:
    """The names in the header record (without its line ending), as they stand there.

    Raises SourceRefusedError when it is not UTF-8 text or names more than `columns_max` columns.
    """
    refuse_binary(record, is_cut=False)
    names = split_cells(record, limits.columns_max + 1)
    if len(names) > limits.columns_max:
        message = f"The header names more than {limits.columns_max} columns (WHARF_COLUMNS_MAX); leave some out"
        raise SourceRefusedError(message)
    return tuple(name.decode() for name in names)
