"""The options of an import as callers give them: each is checked, and one that there is not is refused."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from marshmallow import RAISE, ValidationError, post_load

from schemas.base import BodySchema, told
from schemas.entities import ENTITIES, Entity
from schemas.option_fields import BIGINT_MAX, Option, flag_option, read_count, word_option
from schemas.options import Blank, EventIds, Mode, OnError
from schemas.vocabulary import EntityType, FileType

_PERCENT_MAX = 100
#: Tab, the separators of ASCII, and what is printed but stands in no name or number.
_DELIMITER = r"[\x01-\x09\x0e-\x1f!#-&(-\-/:-@\[-`{-~]"
_SAME_ENCODINGS = {"utf8": "utf-8", "iso-8859-1": "latin-1", "cp1252": "windows-1252"}
_ENCODINGS = ("utf-8", "utf-16", "utf-16-le", "utf-16-be", "latin-1", "windows-1252", *_SAME_ENCODINGS)


def _read_percent(value: Any) -> float | None:
    return value if type(value) in {int, float} and 0 <= value <= _PERCENT_MAX else None


def _read_mapping(value: Any) -> dict[str, str | None] | None:
    is_mapping = isinstance(value, dict) and all(target is None or isinstance(target, str) for target in value.values())
    return value if is_mapping else None


def _read_constants(value: Any) -> dict[str, str] | None:
    is_texts = isinstance(value, dict) and all(isinstance(text, str) for text in value.values())
    return value if is_texts else None


class ImportOptionsSchema(BodySchema):
    """How an import is to be done; another option than these is refused."""

    class Meta:
        """What we do not know would be ignored in silence, and rows would go where nobody wanted them."""

        unknown = RAISE

    mode = word_option(
        Mode,
        "What may happen to a key: `insert` refuses a row whose key exists (an event that exists is skipped), `update` "
        "one whose key does not. Without it CUSTOMERS and FEATURES are upserted, PRICES and EVENTS inserted; "
        "EVENTS take `insert` only.",
        "upsert",
    )
    on_error = word_option(
        OnError, "After a refused row: go on with the others, or stop behind its chunk, as with `max_errors` 0.",
        "skip",
    )  # fmt: skip
    max_errors = Option(
        "integer",
        read_count,
        f"a whole number from 0 to {BIGINT_MAX}",
        told(
            "How many rows may be refused; with more the task stops and is FAILED with `too_many_errors`. The rows "
            "that went in before stay.",
            100,
            minimum=0,
            maximum=BIGINT_MAX,
        ),
    )
    max_error_percent = Option(
        "number",
        _read_percent,
        "a number from 0 to 100",
        told("The same as a part of all rows; of two limits the lower counts.", 2.5, minimum=0, maximum=_PERCENT_MAX),
    )
    atomic = flag_option(
        "All or nothing: with more refused rows than allowed (none, unless a limit is given) no row goes in."
    )
    dry_run = flag_option(
        "Check every row and count, and write nothing. The task's `plan_id` then names these very bytes for a task "
        "that loads them."
    )
    mapping = Option(
        "object",
        _read_mapping,
        "an object of source columns, each with the column where it goes, or null to ignore it",
        told(
            "Which column of the file goes where: to a column of the entity, or to `metadata.<key>` or "
            "`properties.<key>` where it has such an object. Null ignores a column. Columns that are not named keep "
            "their names.",
            {"Symbol": "external_id", "Security": "name", "CIK": "metadata.cik"},
            additionalProperties={"type": ["string", "null"]},
        ),
    )
    constants = Option(
        "object",
        _read_constants,
        "an object of columns, each with a text",
        told(
            "The text of a column where the file lacks the column or its cell is blank.",
            {"address_country": "US"},
            additionalProperties={"type": "string", "minLength": 1},
        ),
    )
    delimiter = Option(
        "string",
        lambda value: value if isinstance(value, str) and re.fullmatch(_DELIMITER, value) else None,
        "one ASCII character such as , ; | or a tab; no letter, digit, quote, space or point",
        told("What stands between the cells of a CSV file; found by itself if absent.", ";", pattern=f"^{_DELIMITER}$"),
    )
    quote = word_option(('"', "'"), "What cells of a CSV file are quoted with; found by itself if absent.", '"')
    encoding = word_option(
        _ENCODINGS, "How the characters of a CSV or JSON file are written; found by itself if absent.", "windows-1252"
    )
    blank = word_option(Blank, "What a blank cell does to a stored value.", "keep")
    event_ids = word_option(
        EventIds,
        "Which id an event without one gets: `derive` gives the same for the same bytes, so that importing them twice "
        "adds nothing; `new` gives a new one. For EVENTS only.",
        "derive",
    )

    @post_load
    def drop_absent(self, options: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Null is as good as absent, and each encoding has one name."""
        if options.get("encoding") in _SAME_ENCODINGS:
            options["encoding"] = _SAME_ENCODINGS[options["encoding"]]
        return {name: value for name, value in options.items() if value is not None}


_SCHEMA = ImportOptionsSchema()
_SCHEMA.error_messages["unknown"] = f"There is no such option; there are {', '.join(_SCHEMA.fields)}."


def check_options(given: Mapping[str, Any], entity_type: EntityType, file_type: FileType) -> dict[str, Any]:
    """The options as they are stored with a task: those that were given, and no others.

    Raises marshmallow's ValidationError with the messages by option; each names the value and the remedy.
    """
    options: dict[str, Any] = _SCHEMA.load(given)
    problems: dict[str, list[str]] = {}
    for name, problem in _find_problems(options, ENTITIES[entity_type], file_type):
        problems.setdefault(name, [problem])
    if problems:
        raise ValidationError(problems)
    return options


def _find_problems(options: Mapping[str, Any], entity: Entity, file_type: FileType) -> Iterator[tuple[str, str]]:
    """What does not go together: the name of an option, and what is wrong with it."""
    if entity.type is EntityType.EVENTS and options.get("mode") in {Mode.UPDATE, Mode.UPSERT}:
        yield "mode", f"{options['mode']!r} does not go with EVENTS, which are only ever added; use insert."
    if entity.type is not EntityType.EVENTS and "event_ids" in options:
        yield "event_ids", f"It is for EVENTS only; leave it out for {entity.type}."
    taken = {"delimiter": [FileType.CSV], "quote": [FileType.CSV]}
    taken["encoding"] = [FileType.CSV, FileType.JSON, FileType.NDJSON]
    if options.get("on_error") == OnError.ABORT and {"max_errors", "max_error_percent"} & set(options):
        yield "on_error", "abort allows no refused row; leave it out where max_errors or max_error_percent allow some."
    for name, file_types in taken.items():
        if name in options and file_type not in file_types:
            yield name, f"It is for {' and '.join(file_types)} only; leave it out for {file_type}."
    for problem in _mapping_problems(options.get("mapping", {}), entity):
        yield "mapping", problem
    for problem in _constant_problems(options.get("constants", {}), entity):
        yield "constants", problem


def _mapping_problems(mapping: Mapping[str, str | None], entity: Entity) -> Iterator[str]:
    sources: dict[str, str] = {}
    for source, target in mapping.items():
        if not source:
            yield "'' is no column of a file; name one."
        if target is None:
            continue
        if not _takes(entity, target):
            yield _no_column(entity, target)
        if target in sources:
            yield f"{sources[target]!r:.100} and {source!r:.100} both go to {target!r}; ignore one of them with null."
        sources[target] = source


def _constant_problems(constants: Mapping[str, str], entity: Entity) -> Iterator[str]:
    for target, text in constants.items():
        if not _takes(entity, target):
            yield _no_column(entity, target)
        elif not text:
            yield f"The text of {target!r:.100} is blank; leave it out, or say what stands there."
        elif target in entity.schema.fields:
            try:
                entity.schema.fields[target].deserialize(text)
            except ValidationError as refused:
                yield f"{refused.messages[0]}."


def _takes(entity: Entity, target: str) -> bool:
    """Whether an entity has such a column, or an object that holds it as a key."""
    return target in entity.columns or any(
        target.startswith(prefix) and len(target) > len(prefix) for prefix in entity.prefixes
    )


def _no_column(entity: Entity, target: str) -> str:
    named = [*entity.columns, *(f"{prefix}<key>" for prefix in entity.prefixes)]
    return f"{target!r:.100} is no column of {entity.type}; use one of {', '.join(named)}."
