"""Plain models of imports: a dict of what is stored, to which the rows of a file are applied one by one."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

Row = tuple[str, ...]


@dataclass
class Model:
    """What is stored by key, what has no key any more, and how many rows were created, updated, skipped, rejected."""

    mode: str
    blank: str
    stored: dict[str, dict[str, Any]] = field(default_factory=dict)
    ended: list[dict[str, Any]] = field(default_factory=list)
    counted: Counter[str] = field(default_factory=Counter)

    def apply(self, rows: Sequence[Row], apply_row: "Callable[[Model, Row], str]") -> None:
        """Apply a whole file; only its rows are counted."""
        self.counted = Counter(apply_row(self, row) for row in rows)

    @property
    def counts(self) -> tuple[int, int, int, int]:
        """The counters as a task has them."""
        words = ("created", "updated", "skipped", "rejected")
        created, updated, skipped, rejected = (self.counted[word] for word in words)
        return created, updated, skipped, rejected

    def cell(self, before: str | None, given: str) -> str | None:
        """What a cell that may be blank makes of what was there."""
        return given or (None if self.blank == "clear" else before)

    def verdict(self, key: str) -> str:
        """What the mode says of a row of this key."""
        if key in self.stored:
            return "rejected" if self.mode == "insert" else "updated"
        return "rejected" if self.mode == "update" else "created"


def apply_customer(model: Model, row: Row) -> str:
    """A row of external_id, name, address_city, address_state and metadata.x."""
    key, name, city, state, x = row
    verdict = "rejected" if not name and model.mode != "update" else model.verdict(key)
    if verdict != "rejected":
        before = model.stored.get(key, {"name": None, "city": None, "state": None, "x": None})
        model.stored[key] = {
            "name": name or before["name"],
            "city": model.cell(before["city"], city),
            "state": model.cell(before["state"], state),
            "x": x or before["x"],
        }
    return verdict


def apply_feature(model: Model, row: Row) -> str:
    """A row of lookup_key, name, type, both units, and the event of a metered one."""
    key, name, kind, unit, event = row
    verdict = "rejected" if not name and model.mode != "update" else model.verdict(key)
    if verdict == "created":
        model.stored[key] = {"name": name, "type": kind, "unit": unit or None, "event": event or None}
    elif verdict == "updated":
        before = model.stored[key]
        model.stored[key] = {**before, "name": name or before["name"], "unit": model.cell(before["unit"], unit)}
    return verdict


def apply_price(model: Model, row: Row) -> str:
    """A row of lookup_key, display_name, amount, description and end_date; without a key a price is always new."""
    key, name, amount, description, end = row
    if amount == "abc" or (not key and model.mode == "update"):
        return "rejected"
    verdict = model.verdict(key) if key else "created"
    if verdict == "rejected":
        return verdict
    before = model.stored.pop(key, None) or {"key": key, "amount": None, "name": None, "description": None, "end": None}
    price = {
        "key": key,
        "amount": amount,
        "name": model.cell(before["name"], name),
        "description": model.cell(before["description"], description),
        "end": end or None,
    }
    if key and not end:
        model.stored[key] = price
    else:
        model.ended.append(price)
    return verdict


def apply_event(model: Model, row: Row) -> str:
    """A row of event_id and event_name; without an id an event is always new."""
    key, name = row
    if not name:
        return "rejected"
    if key in model.stored:
        return "skipped"
    if key:
        model.stored[key] = {"name": name}
    else:
        model.ended.append({"name": name})
    return "created"
