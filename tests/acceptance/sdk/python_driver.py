"""Calls a release of the Python SDK as a program of its users would; runs in that release's own venv.

Requests come in as lines of JSON, and what the SDK made of the answers goes out as lines of JSON. The SDK is imported
by name, since the project's own venv, where this file is checked, does not have it.
"""

import asyncio
import json
import sys
from datetime import datetime
from functools import cache
from importlib import import_module
from typing import Any

_TIMEOUT_MS = 30_000

sdk = import_module("flexprice")
errors = import_module("flexprice.models.errors")


@cache
def client_of(api_url: str, api_key: str) -> Any:
    """A client of one key, used for all of its calls."""
    return sdk.Flexprice(server_url=api_url, api_key_auth=api_key, timeout_ms=_TIMEOUT_MS)


def answer(request: dict[str, Any], runner: asyncio.Runner) -> dict[str, Any]:
    """What an operation gave, or how it was refused."""
    tasks = client_of(request["api_url"], request["api_key"]).tasks
    options = {**request["arguments"], "http_headers": request["headers"]}
    try:
        if request["mode"] == "sync":
            value = getattr(tasks, request["operation"])(**options)
        else:
            value = runner.run(getattr(tasks, f"{request['operation']}_async")(**options))
    except errors.FlexpriceError as error:
        return {"error": told(error)}
    return {"value": plain(value)}


def told(error: Any) -> dict[str, Any]:
    """All that the SDK's user can read of an error."""
    return {
        "name": type(error).__name__,
        "status": error.status_code,
        "message": error.message,
        "body": error.body,
        "fields": plain(getattr(error, "data", None)),
    }


def plain(value: Any) -> Any:
    """A model as an object with all its fields, a moment as an object that says it is one."""
    if isinstance(value, datetime):
        return {"datetime": value.isoformat()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if hasattr(type(value), "model_fields"):
        return {name: plain(getattr(value, name)) for name in type(value).model_fields}
    return value


def main() -> None:
    """Answer until there are no more requests."""
    with asyncio.Runner() as runner:
        for line in sys.stdin:
            sys.stdout.write(json.dumps(answer(json.loads(line), runner)) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
