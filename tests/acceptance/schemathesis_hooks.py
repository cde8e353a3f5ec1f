"""What schemathesis needs to know beside the document."""

from typing import Any

import schemathesis

_LONGEST = 255


@schemathesis.hook
def before_call(_context: schemathesis.HookContext, case: schemathesis.Case[Any], _options: dict[str, Any]) -> None:
    """Make most Idempotency-Keys fresh: schemathesis tries all cases of a route with one, so all would be 409."""
    key = case.headers.get("Idempotency-Key")
    if key and len(key) + len(case.id) <= _LONGEST:
        case.headers["Idempotency-Key"] = key + case.id
