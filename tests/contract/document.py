"""The OpenAPI document as tests look things up in it, and hold real answers against it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from flask import Flask
from openapi_schema_validator import OAS31Validator, oas31_format_checker
from werkzeug.test import TestResponse

_METHODS = ("get", "put", "post", "delete", "patch")


@dataclass(frozen=True)
class Operation:
    """One method of one path, references resolved."""

    name: str
    told: Mapping[str, Any]
    parameters: list[Mapping[str, Any]]
    responses: dict[int, Mapping[str, Any]]


@dataclass(frozen=True)
class Document:
    """The whole document."""

    whole: dict[str, Any]

    @cached_property
    def operations(self) -> list[Operation]:
        """Every operation."""
        return [
            Operation(
                name=f"{method.upper()} {path}",
                told=item[method],
                parameters=[
                    self.resolve(told)
                    for told in [*item.get("parameters", []), *item[method].get("parameters", [])]
                ],
                responses={int(status): self.resolve(told) for status, told in item[method]["responses"].items()},
            )
            for path, item in self.whole["paths"].items()
            for method in _METHODS
            if method in item
        ]  # fmt: skip

    def operation(self, operation_id: str) -> Operation:
        """The operation of that id."""
        (found,) = (operation for operation in self.operations if operation.told["operationId"] == operation_id)
        return found

    def resolve(self, part: Mapping[str, Any]) -> Mapping[str, Any]:
        """The part itself, or what it refers to."""
        while "$ref" in part:
            found: Any = self.whole
            for step in part["$ref"].removeprefix("#/").split("/"):
                found = found[step]
            part = found
        return part

    def problems(self, schema: Mapping[str, Any], value: Any) -> list[str]:
        """What of a value the schema does not allow."""
        whole = {**schema, "components": self.whole["components"]}
        checker = OAS31Validator(whole, format_checker=oas31_format_checker)
        return [f"{error.json_path}: {error.message}" for error in checker.iter_errors(value)]

    def check_answer(self, operation_id: str, answer: TestResponse) -> None:
        """Fail unless the document tells of this status, these headers and this body."""
        told = self.operation(operation_id).responses[answer.status_code]
        headers = {name: self.resolve(header) for name, header in told["headers"].items()}
        missing = [name for name, header in headers.items() if header["required"] and name not in answer.headers]
        assert missing == []
        assert answer.content_type.partition(";")[0] == "application/json"
        assert self.problems(told["content"]["application/json"]["schema"], answer.get_json()) == []


def read_document(app: Flask) -> Document:
    """The document as the app serves it."""
    whole: dict[str, Any] = app.test_client().get("/openapi.json").get_json()
    return Document(whole)
