"""What options of the command line take for a moment."""

from datetime import UTC, datetime

import pytest

from service.cli.options import read_moment

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("30d", datetime(2026, 12, 22, 12, tzinfo=UTC)),
        ("12h", datetime(2026, 11, 23, tzinfo=UTC)),
        ("0h", NOW),
        ("2027-01-31T00:00:00Z", datetime(2027, 1, 31, tzinfo=UTC)),
        ("2027-01-31T00:00:00.5+02:00", datetime(2027, 1, 30, 22, 0, 0, 500_000, tzinfo=UTC)),
    ],
)
def test_a_moment_is_counted_from_now_or_given(text: str, moment: datetime) -> None:
    assert read_moment(text, NOW) == moment


@pytest.mark.parametrize(
    "text",
    [
        "",
        "30",
        "d",
        "-1d",
        "1.5d",
        " 1d",
        "1D",
        "30d12h",
        "٣d",
        "tomorrow",
        "2027-01-31",
        "2027-01-31T00:00:00",
        "1e9d",
    ],
)
def test_another_text_means_no_moment(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - whose message is not shown
        read_moment(text, NOW)


@pytest.mark.parametrize("text", ["999999d", "9999-12-31T23:59:59-23:59", "9999999999d"])
def test_a_moment_after_the_end_of_time_is_none(text: str) -> None:
    with pytest.raises((ValueError, OverflowError)):
        read_moment(text, NOW.replace(year=9000))
