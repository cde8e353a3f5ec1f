"""The options of an export as callers give them: each is checked, and one that there is not is refused."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from marshmallow import RAISE, ValidationError, post_load

from schemas.base import BodySchema, format_instant, told
from schemas.export_options import FILTERS, Compression, export_columns
from schemas.option_fields import BIGINT_MAX, Option, flag_option, read_count, word_option
from schemas.vocabulary import EntityType, FileType

_VALUES_MAX = 1000
_NAME_CHARACTERS = 200
_NAME = rf"[^\x00-\x1f\x7f/\\]{{1,{_NAME_CHARACTERS}}}"
_TIME = r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)"


def _read_columns(value: Any) -> list[str] | None:
    is_list = isinstance(value, list) and value and all(isinstance(name, str) for name in value)
    return value if is_list and len(set(value)) == len(value) else None


def _read_filters(value: Any) -> dict[str, list[str]] | None:
    """Each column with its values, one of which a row must have."""
    if not isinstance(value, dict):
        return None
    lists = {name: [wanted] if isinstance(wanted, str) else wanted for name, wanted in value.items()}
    return lists if all(map(_is_texts, lists.values())) else None


def _is_texts(values: Any) -> bool:
    return (
        isinstance(values, list)
        and 1 <= len(values) <= _VALUES_MAX
        and all(isinstance(text, str) and "\0" not in text and _is_unicode(text) for text in values)
    )


def _is_unicode(text: str) -> bool:
    """Whether PostgreSQL can be asked for it; halves of a surrogate pair are no text."""
    return not re.search("[\ud800-\udfff]", text)


def _read_time(value: Any) -> str | None:
    """The moment in UTC."""
    try:
        if isinstance(value, str) and re.fullmatch(_TIME, value, re.ASCII):
            return format_instant(datetime.fromisoformat(value.upper()).astimezone(UTC))
    except (ValueError, OverflowError):
        # A day that the calendar does not have, or a year outside 1 to 9999: told like the rest.
        pass
    return None


def _read_rows(value: Any) -> int | None:
    return read_count(value) or None


def _read_name(value: Any) -> str | None:
    is_name = isinstance(value, str) and value.strip() and re.fullmatch(_NAME, value) and _is_unicode(value)
    return value if is_name else None


def _moment(description: str, example: str) -> Option:
    meaning = told(description, example, format="date-time")
    return Option("string", _read_time, "a time with offset such as 2026-03-01T00:00:00Z", meaning)


class ExportOptionsSchema(BodySchema):
    """How an export is to be done; another option than these is refused."""

    class Meta:
        """What we do not know would be ignored in silence, and rows would be exported that nobody wanted."""

        unknown = RAISE

    columns = Option(
        "array",
        _read_columns,
        "a list of columns, each once",
        told(
            "The columns of the file in their order; all of them if absent.",
            ["external_id", "name", "email"],
            items={"type": "string"},
            minItems=1,
            uniqueItems=True,
        ),
    )
    filters = Option(
        "object",
        _read_filters,
        f"an object of columns, each with a text or a list of 1 to {_VALUES_MAX} texts",
        told(
            "Which rows: in each named column they have the value, or one of the values. CUSTOMERS: `external_id`; "
            "FEATURES: `lookup_key`; PRICES: `lookup_key`, `entity_id`; EVENTS: `event_id`, `external_customer_id`, "
            "`event_name`, `source`.",
            {"event_name": ["api_call", "tokens_used"], "external_customer_id": "cust-42"},
            additionalProperties={
                "type": ["string", "array"],
                "items": {"type": "string"},
                "minItems": 1,
                "maxItems": _VALUES_MAX,
            },
        ),
    )
    start_time = _moment(
        "Rows of that moment and later, RFC 3339: by `timestamp` for EVENTS, else by `created_at`.",
        "2026-03-01T00:00:00Z",
    )
    end_time = _moment("Rows before that moment, RFC 3339.", "2026-04-01T00:00:00+02:00")
    compression = word_option(
        Compression, "How the file is packed. PARQUET is packed inside, and stays a `.parquet`.", "gzip"
    )
    file_name = Option(
        "string",
        _read_name,
        f"a name of 1 to {_NAME_CHARACTERS} characters without / and \\",
        told("As what a download is saved; the object's own name if absent.", "customers-march.csv", minLength=1),
    )
    spreadsheet_safe = flag_option(
        "Put ' before texts that a spreadsheet would take for a formula (they begin with = + - @ or a tab or line "
        "break). For CSV only; such a file does not import back as it was."
    )
    max_part_rows = Option(
        "integer",
        _read_rows,
        f"a whole number from 1 to {BIGINT_MAX}",
        told(
            "Cut the export into files of at most so many rows; a thousand files at most.",
            1_000_000,
            minimum=1,
            maximum=BIGINT_MAX,
        ),
    )

    @post_load
    def drop_absent(self, options: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Null is as good as absent."""
        return {name: value for name, value in options.items() if value is not None}


_SCHEMA = ExportOptionsSchema()
_SCHEMA.error_messages["unknown"] = f"There is no such option of an EXPORT; there are {', '.join(_SCHEMA.fields)}."


def check_export_options(given: Mapping[str, Any], entity_type: EntityType, file_type: FileType) -> dict[str, Any]:
    """The options as they are stored with a task: those that were given, and no others.

    Raises marshmallow's ValidationError with the messages by option; each names the value and the remedy.
    """
    options: dict[str, Any] = _SCHEMA.load(given)
    problems: dict[str, list[str]] = {}
    for name, problem in _find_problems(options, entity_type, file_type):
        problems.setdefault(name, [problem])
    if problems:
        raise ValidationError(problems)
    return options


def _find_problems(
    options: Mapping[str, Any], entity_type: EntityType, file_type: FileType
) -> Iterator[tuple[str, str]]:
    """What does not go together: the name of an option, and what is wrong with it."""
    columns, filters = export_columns(entity_type), FILTERS[entity_type]
    for name in options.get("columns", ()):
        if name not in columns:
            yield "columns", f"{name!r:.100} is no column of {entity_type}; use some of {', '.join(columns)}."
    for name in options.get("filters", {}):
        if name not in filters:
            yield "filters", f"{name!r:.100} is no filter of {entity_type}; use some of {', '.join(filters)}."
    start, end = options.get("start_time"), options.get("end_time")
    if start and end and datetime.fromisoformat(start) >= datetime.fromisoformat(end):
        yield "end_time", f"{end} is not after start_time, {start}; no row could be between them."
    if options.get("spreadsheet_safe") and file_type is not FileType.CSV:
        yield "spreadsheet_safe", f"It is for CSV only; leave it out for {file_type}."
