"""The header that gives a download its file name."""

import re
from urllib.parse import quote

_NOT_IN_A_NAME = re.compile(r"[\x00-\x1f\x7f/\\]")
_NOT_IN_ASCII_FORM = re.compile(r'[^\x20-\x7e]|["%]')


def attachment(file_name: str) -> str:
    """A Content-Disposition value (RFC 6266) that saves as `file_name`.

    `filename` is for clients that know ASCII only, `filename*` (RFC 8187) carries the exact name. Path separators
    and control characters become `_`.
    """
    name = _NOT_IN_A_NAME.sub("_", file_name)
    plain = _NOT_IN_ASCII_FORM.sub("_", name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
