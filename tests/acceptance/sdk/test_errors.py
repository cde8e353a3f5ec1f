"""Each documented error of each operation, as every SDK raises it, and those that are not documented."""

import json
from typing import Any

import pytest

from schemas.vocabulary import Role
from service.access import KeyTerms
from tests.acceptance.conftest import Stack, wait_until
from tests.acceptance.sdk.clients import RefusedError, Sdk
from tests.acceptance.sdk.conftest import HandTo, make_key
from tests.acceptance.sdk.crowd import pick
from tests.acceptance.sdk.sources import no_place

pytestmark = pytest.mark.xdist_group("stack")

IMPORT = {"task_type": "IMPORT", "entity_type": "CUSTOMERS", "file_type": "CSV"}
EXPORT = {"task_type": "EXPORT", "entity_type": "CUSTOMERS", "file_type": "CSV"}
COMPLETED_IMPORT = pick(task_type="IMPORT", task_status="COMPLETED")["id"]
PENDING_EXPORT = pick(task_type="EXPORT", task_status="PENDING")["id"]
BAD_SOURCES = {
    "file_url": (
        {"file_url": "https://10.0.0.1/customers.csv"},
        "file_url must be an https URL pointing to a publicly routable host",
    ),
    "upload_id": ({"upload_id": "upload_unknown", "file_provider": "csvbox"}, "invalid upload_id"),
}
CODES = {400: "validation_error", 404: "not_found"}


def refusal(sdk: Sdk, operation: str, **arguments: Any) -> dict[str, Any]:
    """What is told of the error that a call ends with."""
    with pytest.raises(RefusedError) as caught:
        sdk.call(operation, **arguments)
    return caught.value.told


def assert_documented(sdk: Sdk, told: dict[str, Any], status: int, message: str) -> None:
    assert told == {
        "name": sdk.release.documented_error,
        "status": status,
        "message": message,
        "fields": sdk.release.error_fields(CODES[status], status, message),
        "body": told["body"],
    }


@pytest.mark.parametrize(
    ("operation", "arguments", "status", "message"),
    [
        ("list_tasks", {"start_time": "yesterday"}, 400, "Invalid filter parameters"),
        ("list_tasks", {"end_time": "2026-03-01T00:00:00"}, 400, "Invalid filter parameters"),
        ("list_tasks", {"sort": "error_summary"}, 400, "Invalid filter parameters"),
        ("get_task", {"id": "task_unknown"}, 404, "Task not found"),
        ("get_task_result", {"workflow_id": ""}, 400, "Workflow ID is required"),
        ("get_task_result", {"workflow_id": "wf_unknown"}, 404, "Task not found"),
        ("download_task_export", {"id": COMPLETED_IMPORT}, 400, "File URL must start with s3://"),
        ("download_task_export", {"id": PENDING_EXPORT}, 404, "Task export has not completed yet or failed"),
        ("download_task_export", {"id": "task_unknown"}, 404, "Task not found"),
        ("update_task_status", {"id": COMPLETED_IMPORT, "task_status": "FAILED"}, 400, "Invalid status transition"),
        ("update_task_status", {"id": "task_unknown", "task_status": "FAILED"}, 404, "Task not found"),
    ],
)
def test_a_documented_error_is_raised_as_its_class(
    crowd_sdk: Sdk, operation: str, arguments: dict[str, str], status: int, message: str
) -> None:
    assert_documented(crowd_sdk, refusal(crowd_sdk, operation, **arguments), status, message)


def test_an_id_that_no_task_can_have_is_refused(crowd_sdk: Sdk) -> None:
    told = refusal(crowd_sdk, "get_task", id=f"task_{crowd_sdk.release.nul}")
    assert_documented(crowd_sdk, told, 400, "Invalid request format")


def test_create_refuses_an_unknown_entity_type(crowd_sdk: Sdk) -> None:
    told = refusal(crowd_sdk, "create_task", **IMPORT | {"entity_type": "INVOICES"}, **no_place(crowd_sdk))
    assert_documented(crowd_sdk, told, 400, "Invalid entity type")


def test_create_refuses_a_source_that_it_may_not_read(crowd_sdk: Sdk) -> None:
    source, message = BAD_SOURCES[crowd_sdk.release.source]
    assert_documented(crowd_sdk, refusal(crowd_sdk, "create_task", **IMPORT, **source), 400, message)


OPERATIONS = {
    "list_tasks": {},
    "create_task": IMPORT,
    "get_task": {"id": COMPLETED_IMPORT},
    "get_task_result": {"workflow_id": COMPLETED_IMPORT},
    "download_task_export": {"id": COMPLETED_IMPORT},
    "update_task_status": {"id": COMPLETED_IMPORT, "task_status": "FAILED"},
}
WRITES = ["create_task", "update_task_status"]


def arguments_of(sdk: Sdk, operation: str) -> dict[str, str]:
    return OPERATIONS[operation] | (no_place(sdk) if operation == "create_task" else {})


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_unknown_key_is_unauthorized(hand_to: HandTo, operation: str) -> None:
    stranger = hand_to("sk_unknown")
    told = refusal(stranger, operation, **arguments_of(stranger, operation))
    assert (told["name"], told["status"]) == (stranger.release.other_error, 401)
    assert json.loads(told["body"])["error"] == "Unauthorized"


@pytest.mark.parametrize("operation", WRITES)
def test_a_reader_may_not_write(hand_to: HandTo, crowd_keys: dict[Role, str], operation: str) -> None:
    reader = hand_to(crowd_keys[Role.READER])
    told = refusal(reader, operation, **arguments_of(reader, operation))
    assert (told["name"], told["status"]) == (reader.release.other_error, 403)
    assert json.loads(told["body"])["message"] == "insufficient permissions"


def test_one_idempotency_key_is_one_task(sdk: Sdk) -> None:
    headers, body = {"Idempotency-Key": "of-this-tenant"}, {**EXPORT, **no_place(sdk)}
    assert sdk.call("create_task", headers, **body) == sdk.call("create_task", headers, **body)
    told = refusal(sdk, "create_task", headers=headers, **body, file_name="other.csv")
    assert (told["name"], told["status"]) == (sdk.release.other_error, 409)
    assert sdk.call("list_tasks")["pagination"]["total"] == 1


def test_more_requests_than_a_key_may_send_are_refused(hand_to: HandTo, stack: Stack) -> None:
    sdk = hand_to(make_key(stack, "tenant_busy", "env_sdk", Role.READER, KeyTerms(requests_per_minute=1)))
    told: dict[str, Any] = {}

    def is_refused() -> bool:
        try:
            sdk.call("list_tasks")
        except RefusedError as error:
            told.update(error.told)
        return bool(told)

    # A new minute forgives, and a busy machine may let some requests pass uncounted.
    wait_until(is_refused, 30)
    assert (told["name"], told["status"]) == (sdk.release.other_error, 429)
    assert json.loads(told["body"])["code"] == "too_many_requests"
