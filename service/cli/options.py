"""Callbacks of options: what was typed is checked at once, and refused with what would be right."""

import re
from datetime import UTC, datetime, timedelta

import click

from service.names import NAME_RULE, is_name

_LONGEST_LABEL = 200
_SPAN = re.compile(r"(?P<count>[0-9]{1,6})(?P<unit>[dh])")
_UNITS = {"d": timedelta(days=1), "h": timedelta(hours=1)}
_MOMENTS = "a time from now such as 30d or 12h, or a moment such as 2027-01-31T00:00:00Z"


def check_name(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    """The name of a tenant or of an environment."""
    if value is not None and not is_name(value):
        message = f"{value[:_LONGEST_LABEL]!r} cannot be a name: it {NAME_RULE}."
        raise click.BadParameter(message)
    return value


def check_label(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    """A short text for people."""
    if len(value) > _LONGEST_LABEL or not value.isprintable():
        message = f"{value[:_LONGEST_LABEL]!r} is no label: use up to {_LONGEST_LABEL} printable characters."
        raise click.BadParameter(message)
    return value


def check_future(_ctx: click.Context, _param: click.Parameter, value: str | None) -> datetime | None:
    """A moment to come."""
    if value is None:
        return None
    now = datetime.now(UTC)
    try:
        moment = read_moment(value, now)
    except (ValueError, OverflowError) as error:
        message = f"{value[:_LONGEST_LABEL]!r} is not {_MOMENTS}."
        raise click.BadParameter(message) from error
    if moment <= now:
        message = f"{value!r} is not in the future; give {_MOMENTS}."
        raise click.BadParameter(message)
    return moment


def read_moment(text: str, now: datetime) -> datetime:
    """The moment that a text means, in UTC: days or hours from now, or RFC 3339.

    Raises ValueError or OverflowError for a text that means none.
    """
    span = _SPAN.fullmatch(text)
    if span:
        return now + int(span["count"]) * _UNITS[span["unit"]]
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("a moment without an offset")
    return moment.astimezone(UTC)
