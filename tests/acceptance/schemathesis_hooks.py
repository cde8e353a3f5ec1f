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
    _keep_from_amazon(case.body)


def _keep_from_amazon(body: Any) -> None:
    """Without an endpoint a connection would be tried with Amazon's store; this name leads nowhere (RFC 6761)."""
    config = body.get("sync_config") if isinstance(body, dict) else None
    bucket = config.get("s3") if isinstance(config, dict) else None
    if isinstance(bucket, dict) and not bucket.get("endpoint_url"):
        bucket["endpoint_url"] = "https://objects.invalid"
