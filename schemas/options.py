"""How a caller wants an import to be done: the words, the defaults and the checks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

from schemas.vocabulary import EntityType


class Mode(StrEnum):
    """What may happen to a key: only be made, only be changed, or both."""

    INSERT = "insert"
    UPDATE = "update"
    UPSERT = "upsert"


class OnError(StrEnum):
    """What happens after a row was refused: go on, or stop."""

    SKIP = "skip"
    ABORT = "abort"


class Blank(StrEnum):
    """What a blank cell does to the value that is stored."""

    KEEP = "keep"
    CLEAR = "clear"


class EventIds(StrEnum):
    """Which id an event without one gets: the same for the same bytes, or a new one with each task."""

    DERIVE = "derive"
    NEW = "new"


#: Rows of these are made anew unless the caller says otherwise; the others are made or changed.
_MADE_ANEW = (EntityType.EVENTS, EntityType.PRICES)


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """The options of one import, with the defaults filled in."""

    mode: Mode = Mode.UPSERT
    on_error: OnError = OnError.SKIP
    max_errors: int | None = None
    max_error_percent: float | None = None
    atomic: bool = False
    dry_run: bool = False
    mapping: Mapping[str, str | None] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    delimiter: str | None = None
    quote: str | None = None
    encoding: str | None = None
    blank: Blank = Blank.KEEP
    event_ids: EventIds = EventIds.DERIVE

    @property
    def is_whole(self) -> bool:
        """Whether all rows are merged in one transaction at the end, to be kept or undone together."""
        return self.atomic or self.dry_run

    def refused_rows_allowed(self, total: int) -> int | None:
        """How many of `total` rows may be refused before the import stops; None for any number.

        A dry run never stops: what it is told of is the load that it stands for.
        """
        limits = [] if self.max_errors is None else [self.max_errors]
        if self.max_error_percent is not None:
            limits.append(int(total * Decimal(str(self.max_error_percent)) / 100))
        if self.on_error is OnError.ABORT or (self.atomic and not limits):
            limits.append(0)
        return min(limits) if limits else None


def read_options(entity_type: EntityType, given: Mapping[str, Any] | None) -> ImportOptions:
    """Options as they are stored with a task, checked when they were given."""
    mode = Mode.INSERT if entity_type in _MADE_ANEW else Mode.UPSERT
    words = {"mode": Mode, "on_error": OnError, "blank": Blank, "event_ids": EventIds}
    values: dict[str, Any] = {
        name: words[name](value) if name in words else value for name, value in (given or {}).items()
    }
    return ImportOptions(**{"mode": mode, **values})
