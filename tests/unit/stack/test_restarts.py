"""The back-off of a part that ends by itself."""

from hypothesis import given
from hypothesis import strategies as st

from service.stack.restarts import LIMIT, WINDOW_SECONDS, Restarts


def test_the_wait_doubles_and_the_fifth_end_within_a_minute_gives_up() -> None:
    restarts = Restarts()
    assert [restarts.note_end(float(now)) for now in range(5)] == [0.5, 1.0, 2.0, 4.0, None]


def test_the_wait_never_exceeds_eight_seconds() -> None:
    restarts = Restarts()
    assert [restarts.note_end(now * 20.0) for now in range(7)] == [0.5, 1.0, 2.0, 4.0, 8.0, 8.0, 8.0]


def test_a_quiet_minute_starts_the_waits_anew() -> None:
    restarts = Restarts()
    assert [restarts.note_end(now) for now in (0.0, 1.0, 62.0, 63.0)] == [0.5, 1.0, 0.5, 1.0]


@given(st.lists(st.floats(min_value=0, max_value=40), max_size=40))
def test_giving_up_means_five_ends_within_a_minute(gaps: list[float]) -> None:
    restarts, now, ends = Restarts(), 0.0, []
    for gap in gaps:
        now += gap
        ends.append(now)
        is_fifth_in_a_minute = len(ends) >= LIMIT and now - ends[-LIMIT] <= WINDOW_SECONDS
        assert (restarts.note_end(now) is None) == is_fifth_in_a_minute
