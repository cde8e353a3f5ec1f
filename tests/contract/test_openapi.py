"""The OpenAPI document is valid, whole and the one that is committed."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate

from service import __version__
from service.app import make_routes
from tests.contract.document import Document, read_document
from tests.contract.repository import read

#: What SDKs of the original call.
CONTRACT = {
    "listTasks": "GET /v1/tasks",
    "createTask": "POST /v1/tasks",
    "getTaskResult": "GET /v1/tasks/result",
    "getTask": "GET /v1/tasks/{task_id}",
    "downloadTaskExport": "GET /v1/tasks/{task_id}/download",
    "updateTaskStatus": "PUT /v1/tasks/{task_id}/status",
}
NO_CONTENT = 204
_IN_PATH = re.compile(r"<(?:[^<>]+:)?(\w+)>")
#: Pages for people, and the document itself.
NOT_TOLD = {"GET /", "GET /docs", "GET /docs/{name}", "GET /openapi.json"}


@pytest.fixture(scope="module")
def document() -> Document:
    return read_document(make_routes())


def test_committed_document_is_the_one_that_is_served(tmp_path: Path) -> None:
    written = tmp_path / "openapi.json"
    make_routes().test_cli_runner().invoke(args=["openapi", "write", str(written)])
    assert written.read_text() == read("docs/openapi.json"), "run `make openapi` and commit docs/openapi.json"


def test_document_is_valid(document: Document) -> None:
    validate(document.whole)
    info = document.whole["info"]
    assert (document.whole["openapi"], info["version"], info["license"]["identifier"]) == (
        "3.1.0", __version__, "Apache-2.0",
    )  # fmt: skip


def test_every_route_is_in_the_document(document: Document) -> None:
    routed = {
        method + " " + _IN_PATH.sub(r"{\1}", rule.rule)
        for rule in make_routes().url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert {operation.name for operation in document.operations} == routed - NOT_TOLD


def test_operations_have_names_of_their_own_and_those_of_the_contract(document: Document) -> None:
    names = {operation.told["operationId"]: operation.name for operation in document.operations}
    assert len(names) == len(document.operations)
    assert {name: names[name] for name in CONTRACT} == CONTRACT


def test_every_answer_has_an_example_that_its_schema_allows(document: Document) -> None:
    for operation in document.operations:
        for status, response in operation.responses.items():
            assert response["description"]
            if status == NO_CONTENT:
                assert "content" not in response
                continue
            content = response["content"]["application/json"]
            assert document.problems(content["schema"], content["example"]) == [], f"{operation.name} {status}"
            assert content["example"].get("http_status_code", status) == status


def test_every_body_to_send_has_examples_that_its_schema_allows(document: Document) -> None:
    bodies = [operation.told["requestBody"] for operation in document.operations if "requestBody" in operation.told]
    assert len(bodies) == 7
    for content in (body["content"]["application/json"] for body in bodies):
        examples = content.get("examples") or {"example": {"value": content["example"]}}
        for example in examples.values():
            assert document.problems(content["schema"], example["value"]) == []


@pytest.mark.parametrize(
    "body",
    [
        {"task_type": "IMPORT", "file_url": "", "upload_id": "upload_x"},
        {"task_type": "EXPORT", "file_url": "", "upload_id": None, "unknown": 1},
        {"task_type": "EXPORT", "file_url": "https://files.example.com/a.csv", "upload_id": "upload_x"},
        {"task_type": "EXPORT", "file_url": "s3://theirs/a"},
        {"task_type": "EXPORT", "file_url": " s3://theirs"},
        {"task_type": "IMPORT", "file_url": "s3://theirs/a.csv"},
        {"task_type": "EXPORT", "options": {}},
        {"task_type": "EXPORT", "file_type": "PARQUET", "options": None},
        {"task_type": "EXPORT", "file_type": "JSON", "options": {"columns": ["event_id"], "compression": "zstd"}},
        {"task_type": "EXPORT", "options": {"filters": {"event_name": "a", "source": ["b"]}, "max_part_rows": 5}},
        {"task_type": "IMPORT", "upload_id": "upload_x", "options": {"delimiter": "\t", "quote": "'", "mode": None}},
        {"task_type": "IMPORT", "upload_id": "upload_x", "file_type": "PARQUET"},
        {"task_type": "IMPORT", "plan_id": "task_x", "file_url": "", "upload_id": None},
        {"task_type": "IMPORT", "file_url": "", "metadata": {"plan_id": "task_x"}},
    ],
)
def test_bodies_that_are_taken_are_allowed_by_the_document(document: Document, body: dict[str, Any]) -> None:
    assert document.problems(NEW_TASK, {"entity_type": "EVENTS", "file_type": "CSV", **body}) == []


@pytest.mark.parametrize(
    "body",
    [
        {"task_type": "IMPORT"},
        {"task_type": "IMPORT", "file_url": "  "},
        {"task_type": "IMPORT", "file_url": "https://files.example.com/a.csv", "upload_id": "upload_x"},
        {"task_type": "EXPORT", "file_url": "s3:///a"},
        {"task_type": "EXPORT", "file_url": "https://files.example.com/a"},
        {"task_type": "EXPORT", "options": {"dry_run": True}},
        {"task_type": "EXPORT", "options": {"compression": "brotli"}},
        {"task_type": "EXPORT", "options": {"columns": []}},
        {"task_type": "EXPORT", "options": {"filters": {"event_name": []}}},
        {"task_type": "IMPORT", "upload_id": "upload_x", "options": {"columns": ["event_id"]}},
        {"task_type": "EXPORT", "plan_id": "task_x"},
        {"task_type": "IMPORT", "plan_id": "task_x", "upload_id": "upload_x"},
        {"task_type": "IMPORT", "upload_id": "upload_x", "file_type": "XLSX"},
        {"task_type": "IMPORT", "upload_id": "upload_x", "options": {"dryrun": True}},
        {"task_type": "IMPORT", "upload_id": "upload_x", "options": {"max_errors": -1}},
        {"task_type": "IMPORT", "upload_id": "upload_x", "options": {"max_error_percent": 100.1}},
        {"task_type": "IMPORT", "upload_id": "upload_x", "options": {"delimiter": "a"}},
        {"task_type": "IMPORT", "upload_id": "upload_x", "options": {"delimiter": "\n"}},
        {"task_type": "IMPORT", "upload_id": "upload_x", "options": {"constants": {"name": 1}}},
        {"task_type": "IMPORT", "upload_id": "upload_x", "options": {"mapping": {"A": 1}}},
    ],
)
def test_bodies_that_are_refused_are_not_allowed_by_the_document(document: Document, body: dict[str, Any]) -> None:
    assert document.problems(NEW_TASK, {"entity_type": "EVENTS", "file_type": "CSV", **body}) != []


NEW_TASK = {"$ref": "#/components/schemas/NewTask"}


def test_every_operation_parameter_and_key_is_explained(document: Document) -> None:
    dumb = [operation.name for operation in document.operations if not operation.told.get("summary")]
    dumb += [
        f"{operation.name} {parameter['name']}"
        for operation in document.operations
        for parameter in operation.parameters
        if not parameter.get("description")
    ]
    dumb += [f"{body}.{key}" for body, key, told in properties(document) if not told]
    assert dumb == []


def properties(document: Document) -> Iterator[tuple[str, str, str]]:
    """Body, key and what is told of it; a key whose body is told elsewhere is told there."""
    for body, schema in document.whole["components"]["schemas"].items():
        for key, told in schema["properties"].items():
            referred = "$ref" in told or "anyOf" in told or "$ref" in told.get("items", {})
            yield body, key, "elsewhere" if referred else told.get("description", "")


def test_answers_promise_every_key(document: Document) -> None:
    for operation in document.operations:
        for status, response in operation.responses.items():
            if status == NO_CONTENT:
                continue
            schema = document.resolve(response["content"]["application/json"]["schema"])
            # Clients read the links of an export as a map of texts: `files` is there only where it was asked for.
            optional = {"files"} if operation.told["operationId"] == "downloadTaskExport" else set()
            assert set(schema["required"]) == set(schema["properties"]) - optional


def test_every_route_behind_a_key_tells_what_can_go_wrong(document: Document) -> None:
    for operation in document.operations:
        told = set(operation.responses)
        if operation.told.get("security") == []:
            assert {400, 500} <= told
        else:
            assert {400, 401, 403, 429, 500, 503} <= told, operation.name
        assert (413 in told) == ("requestBody" in operation.told), operation.name
        assert 422 not in told
