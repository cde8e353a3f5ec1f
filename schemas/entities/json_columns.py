"""Columns that hold JSON: objects that can also be given key by key, and the tiers of a price.

Rows of JSON give them as JSON values, or as the JSON text that a CSV cell holds.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, NotRequired, TypedDict

from marshmallow import ValidationError

from schemas.entities.columns import Column, fits_amount, parse_amount
from schemas.json_text import InvalidJsonError, parse_json, to_json, with_doubles
from schemas.row_errors import RowErrorCode

JsonDict = dict[str, Any]

#: What PostgreSQL's bigint holds.
UP_TO_MAX: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class GivenObject:
    """What a row gives for an object: its own column, JSON text or an object, and cells by key from prefixed ones."""

    whole: object
    by_key: dict[str, Any]


class JsonObject(Column[JsonDict]):
    """An object from a JSON column, merged over the text of the columns `<name>.<key>`.

    `keep_blank` keeps blank cells of the latter as "", else they are as good as absent. None when
    there is neither.
    """

    def __init__(self, *, keep_blank: bool = False) -> None:
        super().__init__()
        self.keep_blank = keep_blank

    @property
    def prefix(self) -> str:
        """How the names of the columns begin that hold one key each."""
        return f"{self.name}."

    def _deserialize(self, value: object, *_: Any, **__: Any) -> JsonDict:
        if not isinstance(value, GivenObject):
            return self._whole(value)
        by_key = {key: self._stored(cell) for key, cell in value.by_key.items()}
        return {**by_key, **(self._whole(value.whole) if value.whole is not None else {})}

    def _whole(self, value: object) -> JsonDict:
        if isinstance(value, str):
            return self._read(value)
        stored = self._stored(value)
        if not isinstance(stored, dict):
            raise self.problem(RowErrorCode.INVALID_JSON, 'must be a JSON object such as {"key": 1}', to_json(stored))
        return stored

    def _stored(self, value: object) -> object:
        """A JSON value with its numbers as they are stored."""
        try:
            return with_doubles(value)
        except InvalidJsonError as error:
            raise self.problem(RowErrorCode.INVALID_JSON, str(error)) from error

    def _read(self, text: str) -> JsonDict:
        try:
            parsed = parse_json(text)
        except InvalidJsonError as error:
            raise self.problem(RowErrorCode.INVALID_JSON, str(error)) from error
        if not isinstance(parsed, dict):
            raise self.problem(RowErrorCode.INVALID_JSON, 'must be a JSON object such as {"key": 1}', text)
        return parsed


class Tier(TypedDict):
    """What a price charges up to a quantity, that included; null in the last tier. Amounts are decimal text."""

    up_to: int | None
    unit_amount: str
    flat_amount: NotRequired[str]


class Tiers(Column[list[Tier]]):
    """A JSON array of tiers by rising `up_to`; amounts as text or as numbers, other keys are ignored."""

    def _deserialize(self, value: object, *_: Any, **__: Any) -> list[Tier]:
        return self._read(value) if isinstance(value, str) else self._read_tiers(value, to_json(value))

    def _read(self, text: str) -> list[Tier]:
        try:
            parsed = parse_json(text, read_float=Decimal)
        except InvalidJsonError as error:
            raise self.problem(RowErrorCode.INVALID_JSON, str(error)) from error
        return self._read_tiers(parsed, text)

    def _read_tiers(self, parsed: object, text: str) -> list[Tier]:
        if not isinstance(parsed, list) or not parsed or not all(isinstance(tier, dict) for tier in parsed):
            example = '[{"up_to": 100, "unit_amount": "0.10"}, {"up_to": null, "unit_amount": "0.08"}]'
            raise self._wrong(f"must be a JSON array of tiers such as {example}", text)
        tiers = [self._read_tier(place, tier) for place, tier in enumerate(parsed, 1)]
        self._check_order([tier["up_to"] for tier in tiers])
        return tiers

    def _read_tier(self, place: int, given: JsonDict) -> Tier:
        tier = Tier(
            up_to=given.get("up_to"), unit_amount=self._read_amount(place, "unit_amount", given.get("unit_amount"))
        )
        if given.get("flat_amount") is not None:
            tier["flat_amount"] = self._read_amount(place, "flat_amount", given["flat_amount"])
        return tier

    def _read_amount(self, place: int, key: str, given: object) -> str:
        is_amount = isinstance(given, str | int | Decimal) and not isinstance(given, bool)
        amount = parse_amount(str(given)) if is_amount else None
        if amount is None or amount < 0 or not fits_amount(amount):
            raise self._wrong(f'needs {key} in tier {place}, a decimal of 0 or more such as "0.10"', given)
        return f"{amount:f}"

    def _check_order(self, limits: list[Any]) -> None:
        *bounded, last = limits
        if last is not None:
            raise self._wrong("must end with a tier whose up_to is null", last)
        below = 0
        for place, limit in enumerate(bounded, 1):
            if type(limit) is not int or not below < limit <= UP_TO_MAX:
                raise self._wrong(f"needs up_to in tier {place}, a whole number of more than {below}", limit)
            below = limit

    def _wrong(self, reason: str, found: object) -> ValidationError:
        return self.problem(RowErrorCode.INVALID_TIERS, reason, "null" if found is None else found)
