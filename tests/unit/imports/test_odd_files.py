"""The odd files that are taken have the rows and the row errors of the list, in whatever blocks they come."""

from dataclasses import replace

import pytest

from tests.unit.imports.csv_parts import TestLimits
from tests.unit.imports.file_parts import LIMITS, Imported, cut_blocks, import_file
from tests.unit.imports.odd_files import ANN, BOB, HEADER, TAKEN

SMALL = TestLimits(chunk_bytes=16, row_max_bytes=40, field_max_bytes=20, columns_max=4)


@pytest.mark.parametrize("name", TAKEN)
@pytest.mark.parametrize("block_bytes", [1, 7, 1 << 20])
def test_an_odd_file_has_these_rows_and_these_row_errors(name: str, block_bytes: int) -> None:
    data, file_type, options, values, errors = TAKEN[name]
    imported = import_file(cut_blocks(data, block_bytes), file_type, options)
    assert imported == Imported(imported.format, values, errors)


def test_rows_and_cells_at_their_limits_are_taken() -> None:
    data = HEADER + b"1," + b"x" * 20 + b"\n" + b"2," + b"y" * 21 + b"\n"
    imported = import_file([data], limits=SMALL)
    assert imported.values == [{"external_id": "1", "name": "x" * 20}]
    assert imported.errors == [(2, "name", "field_too_long")]


def test_a_row_of_10_mib_and_a_cell_of_1_mib_are_read() -> None:
    limits = TestLimits(chunk_bytes=1 << 20, row_max_bytes=10 << 20, field_max_bytes=1 << 20)
    cells = [b"x" * (1 << 20)] * 9
    data = b"external_id,name" + b",n" * 9 + b"\n1,Ann," + b",".join(cells) + b"\n2,Bob\n"
    assert import_file([data], limits=replace(limits, columns_max=20)) == Imported(
        import_file([HEADER]).format, [ANN, BOB], []
    )
    assert LIMITS.columns_max == 1000
