"""The rule for the size of parts."""

import pytest

from service.storage.multipart import GIB, MIB, PARTS_MAX, part_size


@pytest.mark.parametrize(
    ("number", "size"),
    [(1, 8 * MIB), (1000, 8 * MIB), (1001, 16 * MIB), (2700, 32 * MIB), (10_000, 4 * GIB)],
)
def test_parts_double_after_every_thousand(number: int, size: int) -> None:
    assert part_size(number, 8 * MIB) == size


def test_no_part_is_larger_than_s3_takes() -> None:
    assert part_size(PARTS_MAX, 64 * MIB) == 5 * GIB


def test_ten_thousand_parts_of_the_smallest_size_hold_four_tebibytes() -> None:
    assert sum(part_size(number, 5 * MIB) for number in range(1, PARTS_MAX + 1)) > 4 * 1024 * GIB
