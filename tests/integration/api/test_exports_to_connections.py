"""Exports to a customer's own bucket, from the request to the bytes behind the link."""

from typing import Any

import requests

from service.db.models import Customer, Scope
from service.exports.run import run_export
from service.tracking.workbench import Workbench
from tests.fakes.stores import Front
from tests.integration.api.conftest import Caller
from tests.integration.api.test_connections import PATH, body, create, front, settings

__all__ = ["body", "front", "settings"]

EXPORT = {"task_type": "EXPORT", "entity_type": "CUSTOMERS", "file_type": "CSV"}


def test_an_export_lies_in_their_bucket_until_the_connection_is_deleted(
    caller: Caller, scope: Scope, bench: Workbench, body: dict[str, Any], front: Front
) -> None:
    made = create(caller, body)
    with bench.sessions.begin() as session:
        session.add(Customer(scope_id=scope.id, external_id="c-1", id="cust_1", name="One", import_id=1, import_row=1))
    sent = {**EXPORT, "file_url": "s3://acme-billing/flexprice/2026"}
    task_id = caller.call("POST", "/v1/tasks", sent).get_json()["id"]
    assert run_export(bench, task_id)
    task = caller.call("GET", f"/v1/tasks/{task_id}").get_json()
    assert (task["task_status"], task["error_summary"]) == ("COMPLETED", None)
    assert task["destination_url"] == sent["file_url"]
    assert task["file_url"].startswith("s3://acme-billing/flexprice/2026/tenant_a/env_a/customers/customers-")
    link = f"/v1/tasks/{task_id}/download"
    url = caller.call("GET", link).get_json()["download_url"]
    assert url.startswith(f"{front.endpoint}/acme-billing/flexprice/2026/")
    assert b"c-1" in requests.get(url, timeout=5).content
    front.refused = {"HEAD"}
    refused = caller.call("GET", link)
    assert (refused.status_code, refused.get_json()["code"]) == (400, "bucket_refused")
    assert caller.call("DELETE", f"{PATH}/{made['id']}").status_code == 204
    gone = caller.call("GET", link)
    assert (gone.status_code, f"The connection {made['id']} was deleted" in gone.get_json()["message"]) == (404, True)
