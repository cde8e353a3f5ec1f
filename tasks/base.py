"""What all entry points share: what escapes them is logged without its text, which may quote a row."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from celery import shared_task

from service.dispatch import EntryPoint
from service.tracking.settle import log_failure


class EntryPointError(Exception):
    """The message came to nothing; the task's row is as it was, so the sweep sends another."""


def entry_point(name: EntryPoint) -> Callable[[Callable[..., None]], Any]:
    """Register a function under the name by which it is dispatched."""

    def register(function: Callable[..., None]) -> Any:
        @wraps(function)
        def guarded(*arguments: str) -> None:
            try:
                function(*arguments)
            except Exception as error:  # noqa: BLE001  # Celery would log its text
                log_failure("entry_point_failed", error, entry_point=name)
                raise EntryPointError(type(error).__name__) from None

        return shared_task(name=name)(guarded)

    return register
