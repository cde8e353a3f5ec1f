"""The first record of a CSV source: its columns' names, and what they stand for."""

import codecs
import json
from collections.abc import Iterable, Mapping, Sequence

from schemas.entities.events import OWN_EVENT_ID
from schemas.entities.row_schema import RowSchema
from schemas.options import ImportOptions
from schemas.row_errors import cut_value
from service.errors import SourceRefusedError
from service.imports.formats.dialect import Dialect
from service.imports.formats.limits import Limits

#: How our own columns begin in files of refused rows; imports ignore them.
OWN_PREFIX = "_wharf_"
_NAMES_TOLD = 20


def effective_names(names: Iterable[str], mapping: Mapping[str, str | None]) -> tuple[str, ...]:
    """The columns that those of the source stand for; "" for one that is ignored.

    A column that is not mapped keeps its name, unless it is one of ours or another is mapped to that name.
    """
    targets = set(mapping.values())
    return tuple(_effective_name(name, mapping, targets) for name in names)


def _effective_name(name: str, mapping: Mapping[str, str | None], targets: set[str | None]) -> str:
    if name in mapping:
        return mapping[name] or ""
    is_ours = name.startswith(OWN_PREFIX) and name != OWN_EVENT_ID
    return "" if name in targets or is_ours else name


def refuse_binary(start: bytes, *, is_cut: bool = True) -> None:
    """Raise SourceRefusedError when the header's bytes, perhaps cut within a character, are not UTF-8 text."""
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(start, final=not is_cut)
    except UnicodeDecodeError as error:
        message = (
            f"The file is not UTF-8 CSV text: byte {error.start + 1} of the header is not UTF-8; save it as UTF-8, "
            "or name its encoding in the options"
        )
        raise SourceRefusedError(message) from error
    if "\0" in text:
        message = (
            "The file is not UTF-8 CSV text: its header holds a NUL byte; is it text in UTF-16, or another format?"
        )
        raise SourceRefusedError(message)


def read_header(record: bytes, dialect: Dialect, limits: Limits) -> tuple[str, ...]:
    """The names in the header record (without its line ending), as they stand there.

    Raises SourceRefusedError when it is not UTF-8 text or names more than `columns_max` columns.
    """
    refuse_binary(record, is_cut=False)
    names = dialect.split_cells(record, limits.columns_max + 1)
    if len(names) > limits.columns_max:
        message = f"The header names more than {limits.columns_max} columns (WHARF_COLUMNS_MAX); leave some out"
        raise SourceRefusedError(message)
    return tuple(name.decode() for name in names)


def check_header(schema: RowSchema, header: tuple[str, ...], options: ImportOptions) -> None:
    """Raise SourceRefusedError when columns are missing that are mapped, or without which no row is good."""
    unmapped = [name for name in options.mapping if name not in header]
    if unmapped:
        raise SourceRefusedError(
            f"The header lacks {_list_names(unmapped)}, which the mapping names; it has {_list_names(header)}. "
            "Mend the mapping and create a new task"
        )
    names = {*effective_names(header, options.mapping), *options.constants}
    names |= {schema.aliases[name] for name in names if name in schema.aliases}
    needed = [name for name in schema.fields if schema.needs(name) and name not in schema.derived]
    missing = [name for name in needed if name not in names]
    if missing:
        raise SourceRefusedError(
            f"The header lacks {', '.join(missing)}, which every row needs; "
            f"it has {_list_names(header)}. {_advise(header, missing)} and create a new task"
        )


def _advise(header: Sequence[str], missing: Sequence[str]) -> str:
    """What is most likely wrong with a header."""
    start = header[0].lstrip()
    if start.startswith(("[", "{")):
        return "It looks like JSON: name the file_type JSON"
    if start.startswith("<"):
        return "It looks like a web page or XML, perhaps an error or a login page: look where the file comes from"
    if start.startswith("sep="):
        return "Take out the line that begins with sep="
    similar = {name: wanted for wanted in missing for name in header if _plain(name) == _plain(wanted)}
    if similar:
        return f"Rename them, or give the option mapping {json.dumps(similar, ensure_ascii=False)}"
    if len(header) == 1:
        return "Add what is missing, or name the delimiter in the options where that was not found,"
    return "Add what is missing, or say by the option mapping which columns they are,"


def _plain(name: str) -> str:
    """A name without what people write differently: capitals, spaces, hyphens, underscores."""
    return "".join(filter(str.isalnum, name)).casefold()


def _list_names(names: Sequence[str]) -> str:
    told = ", ".join(_tell(name) for name in names[:_NAMES_TOLD])
    more = len(names) - _NAMES_TOLD
    return f"{told} and {more} more" if more > 0 else told


def _tell(name: str) -> str:
    """A name as it stands there, in quotes where its ends could not be seen otherwise."""
    text = cut_value(name)
    return text if text and text.isprintable() and text.strip() == text else json.dumps(text, ensure_ascii=False)
