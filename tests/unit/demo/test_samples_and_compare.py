"""The demo's files are the same everywhere, and its comparison finds whatever differs."""

import csv
import hashlib
import re
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import pytest

from schemas.entities import ENTITIES
from schemas.vocabulary import EntityType
from service.demo.compare import DifferenceError, compare_files
from service.demo.samples import CUSTOMERS, EVENTS, write_samples

HEADER = ("external_id", "name", "metadata.tier")
ROWS = (("c-1", "One", "gold"), ("c-2", "Two, or\n2", 'the "big" one'))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[EntityType, Path]:
    """The sample files, made once."""
    return write_samples(tmp_path_factory.mktemp("samples"))


def write(path: Path, *rows: Sequence[str]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(rows)
    return path


def compare(folder: Path, imported: Sequence[Sequence[str]], exported: Sequence[Sequence[str]]) -> int:
    """Compare customers of these rows, header first."""
    return compare_files(
        EntityType.CUSTOMERS, write(folder / "imported.csv", *imported), write(folder / "exported.csv", *exported)
    )


def test_samples_are_the_same_bytes_each_time(
    written: dict[EntityType, Path], tmp_path_factory: pytest.TempPathFactory
) -> None:
    again = write_samples(tmp_path_factory.mktemp("again"))
    digests = [
        {entity: hashlib.sha256(path.read_bytes()).hexdigest() for entity, path in files.items()}
        for files in (written, again)
    ]
    assert digests[0] == digests[1]


def test_samples_come_in_the_order_in_which_they_are_imported(written: dict[EntityType, Path]) -> None:
    assert [(entity, path.name) for entity, path in written.items()] == [
        (EntityType.CUSTOMERS, "customers.csv"),
        (EntityType.FEATURES, "features.csv"),
        (EntityType.PRICES, "prices.csv"),
        (EntityType.EVENTS, "events.csv"),
    ]


@pytest.mark.parametrize(
    ("entity", "rows"),
    [
        (EntityType.CUSTOMERS, CUSTOMERS),
        (EntityType.FEATURES, 5),
        (EntityType.PRICES, 7),
        (EntityType.EVENTS, EVENTS),
    ],
)
def test_every_sample_row_has_a_key_of_its_own(written: dict[EntityType, Path], entity: EntityType, rows: int) -> None:
    with written[entity].open(newline="", encoding="utf-8") as file:
        keys = [row[ENTITIES[entity].natural_key] for row in csv.DictReader(file)]
    assert (len(keys), len(set(keys))) == (rows, rows)


@pytest.mark.parametrize("entity", EntityType)
def test_the_first_sample_rows_are_good(written: dict[EntityType, Path], entity: EntityType) -> None:
    with written[entity].open(newline="", encoding="utf-8") as file:
        for row in islice(csv.DictReader(file), 500):
            ENTITIES[entity].schema.load(row)


def test_a_sample_file_equals_itself(written: dict[EntityType, Path]) -> None:
    path = written[EntityType.CUSTOMERS]
    assert compare_files(EntityType.CUSTOMERS, path, path) == CUSTOMERS


def test_compare_counts_the_rows_that_are_equal(tmp_path: Path) -> None:
    assert compare(tmp_path, [HEADER, *ROWS], [HEADER, *ROWS]) == 2


def test_compare_looks_neither_at_the_order_of_rows_nor_at_that_of_columns(tmp_path: Path) -> None:
    swapped = [tuple(reversed(row)) for row in (HEADER, *reversed(ROWS))]
    assert compare(tmp_path, [HEADER, *ROWS], swapped) == 2


def test_compare_does_not_look_at_the_export_s_own_columns(tmp_path: Path) -> None:
    own = [(*HEADER, "id"), *((*row, f"cust_{number}") for number, row in enumerate(ROWS))]
    assert compare(tmp_path, [HEADER, *ROWS], own) == 2


def test_compare_counts_missing_and_extra_rows(tmp_path: Path) -> None:
    message = "exported.csv: 1 rows of imported.csv are missing, 2 rows are not in it"
    with pytest.raises(DifferenceError, match=re.escape(message)):
        compare(tmp_path, [HEADER, *ROWS], [HEADER, ROWS[0], ("c-3", "", ""), ("c-4", "", "")])


def test_compare_finds_a_missing_row(tmp_path: Path) -> None:
    with pytest.raises(DifferenceError, match=re.escape("1 rows of imported.csv are missing, 0 rows are not in it")):
        compare(tmp_path, [HEADER, *ROWS], [HEADER, ROWS[0]])


def test_compare_finds_an_extra_row(tmp_path: Path) -> None:
    with pytest.raises(DifferenceError, match=re.escape("0 rows of imported.csv are missing, 1 rows are not in it")):
        compare(tmp_path, [HEADER, ROWS[0]], [HEADER, *ROWS])


def test_compare_names_the_row_and_the_columns_that_were_changed(tmp_path: Path) -> None:
    with pytest.raises(DifferenceError) as caught:
        compare(tmp_path, [HEADER, *ROWS], [HEADER, ROWS[0], ("c-2", "Two, or 2", "big")])
    assert caught.value.message == "exported.csv: external_id c-2 differs in name, metadata.tier"


def test_compare_finds_a_column_that_the_export_lacks(tmp_path: Path) -> None:
    with pytest.raises(DifferenceError, match=re.escape("c-1 differs in metadata.tier")):
        compare(tmp_path, [HEADER, *ROWS], [row[:2] for row in (HEADER, *ROWS)])


def test_compare_reads_a_json_column_as_the_prefixed_columns_it_was_made_of(tmp_path: Path) -> None:
    exported = [
        ("external_id", "name", "metadata"),
        ("c-1", "One", '{"tier": "gold", "more": 1}'),
        ("c-2", "Two, or\n2", '{"tier": "the \\"big\\" one"}'),
    ]
    assert compare(tmp_path, [HEADER, *ROWS], exported) == 2


def test_compare_finds_a_changed_key_inside_a_json_column(tmp_path: Path) -> None:
    exported = [("external_id", "name", "metadata"), ("c-1", "One", '{"tier": "silver"}')]
    with pytest.raises(DifferenceError, match=re.escape("c-1 differs in metadata.tier")):
        compare(tmp_path, [HEADER, ROWS[0]], exported)


def test_compare_takes_two_ways_of_writing_one_time_as_equal(tmp_path: Path) -> None:
    header = ("event_id", "timestamp")
    imported = write(tmp_path / "imported.csv", header, ("e-1", "2026-01-01T01:00:00.5+01:00"))
    same = write(tmp_path / "same.csv", header, ("e-1", "2026-01-01T00:00:00.500000Z"))
    later = write(tmp_path / "later.csv", header, ("e-1", "2026-01-01T00:00:00.500001Z"))
    assert compare_files(EntityType.EVENTS, imported, same) == 1
    with pytest.raises(DifferenceError, match=re.escape("later.csv: event_id e-1 differs in timestamp")):
        compare_files(EntityType.EVENTS, imported, later)
