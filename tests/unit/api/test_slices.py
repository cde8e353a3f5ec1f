"""Pages reckoned from counts equal pages taken from the rows."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from service.api.slices import Slice, Span, edges, find_page, slice_days, span_between, whole_days

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)

# Few hours around few midnights, so that rows meet the ends of days and spans.
moments = st.integers(0, 5 * 24 * 2).map(lambda half_hours: NOON + timedelta(minutes=30 * half_hours))
bounds = st.none() | moments


def slices_of(rows: list[datetime], span: Span) -> list[Slice]:
    """The rows of a span in slices, as the list counts them."""
    days = whole_days(span)
    cut = [Slice(edge, sum(edge.start <= row < edge.end for row in rows)) for edge in edges(span, days)]
    by_day: Counter[date] = Counter(row.date() for row in sorted(rows))
    return sorted([*cut, *slice_days(by_day, days)], key=lambda piece: piece.span.start)


@given(st.lists(moments), bounds, bounds, st.integers(0, 12), st.integers(1, 6), st.booleans())
def test_a_page_is_that_of_the_sorted_rows(
    rows: list[datetime], first: datetime | None, last: datetime | None, offset: int, limit: int, ascending: bool
) -> None:
    wanted = sorted(
        (row for row in rows if (first is None or row >= first) and (last is None or row <= last)),
        reverse=not ascending,
    )
    slices = slices_of(rows, span_between(first, last))
    assert sum(piece.rows for piece in slices) == len(wanted)
    place = find_page(slices if ascending else reversed(slices), offset, limit)
    spans = place.spans if place else ()
    found = [row for row in sorted(rows, reverse=not ascending) if any(span.start <= row < span.end for span in spans)]
    assert found[place.skipped if place else 0 :][:limit] == wanted[offset : offset + limit]


@given(st.lists(moments, min_size=1), st.integers(0, 12))
def test_rows_before_a_page_are_skipped_within_its_first_day_only(rows: list[datetime], offset: int) -> None:
    place = find_page(slices_of(rows, span_between(None, None)), offset, 1)
    if place is not None:
        [span] = place.spans
        assert span.end - span.start == timedelta(days=1)
        assert place.skipped <= sum(span.start <= row < span.end for row in rows)


@given(st.lists(moments), st.integers(0, 12), st.integers(1, 6))
def test_days_without_a_row_are_never_looked_at(rows: list[datetime], offset: int, limit: int) -> None:
    place = find_page(slices_of(rows, span_between(None, None)), offset, limit)
    days = {row.date() for row in rows}
    for span in place.spans if place else ():
        assert all((span.start + timedelta(days=day)).date() in days for day in range((span.end - span.start).days))


def test_times_out_of_reach_mean_no_limit() -> None:
    far = span_between(datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
    assert far.start < NOON < far.end


def test_an_end_before_the_start_is_an_empty_span() -> None:
    span = span_between(NOON, NOON - timedelta(days=3))
    assert span.start == span.end
