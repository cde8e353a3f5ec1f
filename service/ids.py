"""Public identifiers: a prefix and a ULID, so that they sort by the time they were made."""

from itertools import product
from uuid import uuid4

from ulid import ULID

#: Crockford's base 32, as a ULID has it.
_DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
#: More than a chunk has rows; 60 random bits are left before them.
_COUNTING_PLACES = 4


def new_id(prefix: str) -> str:
    """A fresh identifier such as `task_01K3B7Q2M8T5Z9V4N6R1C0XWYH`, at most 100 characters."""
    return f"{prefix}_{new_ulid()}"


def new_ulid() -> str:
    """A fresh ULID: 26 characters, the first ten its time."""
    return str(ULID())


def new_ids(prefix: str, count: int) -> list[str]:
    """Fresh identifiers in rising order, of one moment: a ULID whose last places count up."""
    start = f"{prefix}_{new_ulid()[:-_COUNTING_PLACES]}"
    return [start + places for places in _counting(count)]


def _counting(count: int) -> list[str]:
    """The first `count` numbers of four places."""
    pairs = ["".join(pair) for pair in product(_DIGITS, repeat=2)]
    full, rest = divmod(count, len(pairs))
    numbers = [high + low for high in pairs[:full] for low in pairs]
    return numbers + [pairs[full] + low for low in pairs[:rest]] if rest else numbers


def new_run_id() -> str:
    """A fresh run identifier, a UUID as clients of this API expect it."""
    return str(uuid4())
