"""Time by the database's clock: the only one that workers on several hosts share."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Interval, func, literal


def now() -> ColumnElement[datetime]:
    """The moment at which the statement runs, not the start of its transaction."""
    return func.clock_timestamp()


def seconds_from_now(seconds: float) -> ColumnElement[datetime]:
    """That moment and `seconds` more."""
    return now() + literal(timedelta(seconds=seconds), Interval)
