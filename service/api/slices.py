"""Where in time a page of a list lies, reckoned from how many rows each slice of time holds.

With that the database need not walk past the rows before a page, nor past the days without a match.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

_DAY = timedelta(days=1)
_TICK = timedelta(microseconds=1)
# No task is older or newer; what lies beyond would only overflow.
_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
_LATEST = datetime(9000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Span:
    """A time from `start` to just before `end`, both in UTC."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Slice:
    """A span and how many rows it holds."""

    span: Span
    rows: int


@dataclass(frozen=True, slots=True)
class Place:
    """The rows of a page: those of the spans, without the first `skipped` of them."""

    spans: tuple[Span, ...]
    skipped: int


def span_between(first: datetime | None, last: datetime | None) -> Span:
    """The span from `first` to `last`, both included; None means without limit."""
    start = _EARLIEST if first is None else _within(first)
    end = _LATEST if last is None else _within(last) + _TICK
    return Span(start, max(start, end))


def whole_days(span: Span) -> Span:
    """The days (UTC) that lie in a span from midnight to midnight; empty where there are none."""
    first = _midnight(span.start.date())
    start = first if first == span.start else first + _DAY
    end = _midnight(span.end.date())
    return Span(start, end) if start < end else Span(span.end, span.end)


def edges(span: Span, inner: Span) -> list[Span]:
    """What of a span lies before and after an inner one."""
    found = [Span(span.start, inner.start), Span(inner.end, span.end)]
    return [edge for edge in found if edge.start < edge.end]


def slice_days(days: Mapping[date, int], inner: Span) -> list[Slice]:
    """The days of a span as slices."""
    slices = (Slice(Span(_midnight(day), _midnight(day) + _DAY), rows) for day, rows in days.items())
    return [piece for piece in slices if inner.start <= piece.span.start and piece.span.end <= inner.end]


def find_page(slices: Iterable[Slice], offset: int, limit: int) -> Place | None:
    """Where the rows from `offset` on are, at most `limit` of them; None when there are none.

    The slices come in the order of the list, the first row's first.
    """
    reached = 0
    touched: list[Slice] = []
    for piece in slices:
        if reached >= offset + limit:
            break
        reached += piece.rows
        if reached > offset and piece.rows:
            touched.append(piece)
    if not touched:
        return None
    before = reached - sum(piece.rows for piece in touched)
    return Place(_join(sorted((piece.span for piece in touched), key=lambda span: span.start)), offset - before)


def _join(spans: Sequence[Span]) -> tuple[Span, ...]:
    """The same times in as few spans as can be; they come in the order of time."""
    joined: list[Span] = []
    for span in spans:
        if joined and joined[-1].end == span.start:
            joined[-1] = Span(joined[-1].start, span.end)
        else:
            joined.append(span)
    return tuple(joined)


def _within(moment: datetime) -> datetime:
    return min(max(moment, _EARLIEST), _LATEST).astimezone(UTC)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
