"""Several rows of one key become the one row that they amount to when applied one after the other."""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from service.imports.merge.folding import FoldedRow, fold_rows

Values = dict[str, Any]

FIXED = frozenset({"type"})
KEYS = ["k1", "k2", "k3"]

cells = st.none() | st.sampled_from(["a", "b", "c"])
metadata = st.none() | st.dictionaries(st.sampled_from("xyz"), st.integers(0, 3) | st.none(), max_size=3)
values_of_a_row = st.fixed_dictionaries({"name": cells, "city": cells, "type": cells, "metadata": metadata})
keyed_rows = st.lists(st.tuples(st.sampled_from(KEYS), values_of_a_row), max_size=15)
rows_in_file_order = keyed_rows.map(lambda rows: [(number, *row) for number, row in enumerate(rows, start=1)])


def apply(
    stored: Mapping[str, Values], key: str, values: Mapping[str, Any], fixed: frozenset[str]
) -> dict[str, Values]:
    """A table after one more row: what the merge statement of an entity does with it."""
    if key not in stored:
        made = dict(values)
        made["metadata"] = made["metadata"] or {}
        return {**stored, key: made}
    before = stored[key]
    after = {column: before[column] if value is None or column in fixed else value for column, value in values.items()}
    after["metadata"] = {**before["metadata"], **(values["metadata"] or {})}
    return {**stored, key: after}


def apply_all(
    stored: Mapping[str, Values], rows: Iterable[tuple[str, Mapping[str, Any]]], fixed: frozenset[str]
) -> dict[str, Values]:
    """A table after these rows, one after the other."""
    result = dict(stored)
    for key, values in rows:
        result = apply(result, key, values, fixed)
    return result


@given(stored=st.dictionaries(st.sampled_from(KEYS), values_of_a_row), rows=rows_in_file_order)
def test_folding_then_applying_is_applying_one_by_one(
    stored: dict[str, Values], rows: list[tuple[int, str, Values]]
) -> None:
    table = apply_all({}, stored.items(), frozenset())
    folded = {key: fold_rows([row for row in rows if row[1] == key]) for key in KEYS}
    folded_rows = [(key, row.values) for key, listed in folded.items() for row in listed]
    assert apply_all(table, folded_rows, frozenset()) == apply_all(table, [row[1:] for row in rows], frozenset())


@given(stored=st.dictionaries(st.sampled_from(KEYS), values_of_a_row), rows=rows_in_file_order)
def test_folding_with_fixed_columns_then_applying_is_applying_one_by_one(
    stored: dict[str, Values], rows: list[tuple[int, str, Values]]
) -> None:
    table = apply_all({}, stored.items(), FIXED)
    folded = {key: fold_rows([row for row in rows if row[1] == key], FIXED) for key in KEYS}
    folded_rows = [(key, row.values) for key, listed in folded.items() for row in listed]
    assert apply_all(table, folded_rows, FIXED) == apply_all(table, [row[1:] for row in rows], FIXED)


@given(rows=rows_in_file_order)
def test_each_key_gives_one_row_with_its_last_number(
    rows: list[tuple[int, str, Values]],
) -> None:
    numbers: dict[str, list[int]] = {}
    for number, key, _ in rows:
        numbers.setdefault(key, []).append(number)
    assert [row.row for row in fold_rows(rows)] == [listed[-1] for listed in numbers.values()]


@given(rows=rows_in_file_order)
def test_folding_leaves_the_rows_it_was_given_as_they_are(rows: list[tuple[int, str, Values]]) -> None:
    before = deepcopy(rows)
    fold_rows(rows, FIXED)
    assert rows == before


@given(rows=rows_in_file_order, place=st.integers(0, 15))
def test_folding_what_was_folded_already_changes_nothing(rows: list[tuple[int, str, Values]], place: int) -> None:
    of_one_key = [(number, "k", values) for number, _, values in rows]
    first = [(row.row, "k", row.values) for row in fold_rows(of_one_key[:place])]
    assert [row.values for row in fold_rows([*first, *of_one_key[place:]])] == [
        row.values for row in fold_rows(of_one_key)
    ]


def test_a_single_row_stays_what_it_is() -> None:
    values = {"name": "One", "metadata": None}
    assert fold_rows([(7, "k", values)]) == [FoldedRow(row=7, values=values)]


def test_no_rows_fold_to_none() -> None:
    assert fold_rows([]) == []


def test_a_blank_cell_keeps_and_a_filled_one_replaces() -> None:
    rows = [(1, "k", {"name": "One", "city": None}), (2, "k", {"name": None, "city": "Kyoto"})]
    assert fold_rows(rows) == [FoldedRow(row=2, values={"name": "One", "city": "Kyoto"})]


def test_fixed_columns_keep_the_first_row_s_value_even_when_it_is_blank() -> None:
    rows: list[tuple[int, str, Values]] = [
        (1, "k", {"type": None, "name": "One"}),
        (2, "k", {"type": "metered", "name": "Two"}),
    ]
    assert fold_rows(rows, FIXED) == [FoldedRow(row=2, values={"type": None, "name": "Two"})]


def test_metadata_merges_key_by_key_and_the_later_value_of_a_key_wins() -> None:
    rows: list[tuple[int, str, Values]] = [
        (1, "k", {"metadata": {"a": 1, "b": {"x": 1}}}),
        (2, "k", {"metadata": None}),
        (3, "k", {"metadata": {"b": {"y": 2}, "c": None}}),
    ]
    assert fold_rows(rows) == [FoldedRow(row=3, values={"metadata": {"a": 1, "b": {"y": 2}, "c": None}})]


def test_metadata_of_a_later_row_alone_is_taken_as_it_is() -> None:
    rows: list[tuple[int, str, Values]] = [(1, "k", {"metadata": None}), (2, "k", {"metadata": {"a": 1}})]
    assert fold_rows(rows) == [FoldedRow(row=2, values={"metadata": {"a": 1}})]
