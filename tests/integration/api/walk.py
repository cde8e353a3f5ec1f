"""Every operation of the OpenAPI document as a request, filled from a table of names.

A name that the table does not know stops the walk: whoever adds a route says here what may be sent to it.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote, urlencode

from flask import Flask
from werkzeug.test import TestResponse

#: The methods that an item of a path may hold beside its parameters and its words.
_METHODS = ("get", "put", "post", "delete", "patch")
#: Headers that concern every operation; the walk's caller sends them or not.
_EVERYWHERE = frozenset({"x-api-key", "x-environment-id", "x-request-id", "authorization", "idempotency-key"})

#: What to send under a name, which is required or not; None leaves it out.
Choose = Callable[[str, bool], Any]


@dataclass(frozen=True, slots=True)
class Slot:
    """A place for a value: where (path, query, header or body), its name, and whether it must be filled."""

    where: str
    name: str
    required: bool


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path."""

    method: str
    path: str
    slots: tuple[Slot, ...]

    def __str__(self) -> str:
        """As the tables of tests write it."""
        return f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True)
class Request:
    """An operation with its slots filled."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: dict[str, Any] | None

    def renamed(self, names: Mapping[str, str]) -> "Request":
        """The same with other names for some texts in it."""
        url, body = self.url, json.dumps(self.body)
        for old, new in names.items():
            url, body = url.replace(old, new), body.replace(old, new)
        return replace(self, url=url, body=json.loads(body))

    def send(self, app: Flask, headers: Mapping[str, str]) -> TestResponse:
        """Send it with these headers too."""
        return app.test_client().open(self.url, method=self.method, json=self.body, headers={**self.headers, **headers})


def read_operations(document: Mapping[str, Any]) -> list[Operation]:
    """Every operation of a document."""
    return [
        Operation(method.upper(), path, (*_parameters(document, item, item[method]), *_body(document, item[method])))
        for path, item in document["paths"].items()
        for method in _METHODS
        if method in item
    ]


def fill(operation: Operation, choose: Choose) -> Request:
    """A request for the operation, with what `choose` gives for each of its slots."""
    filled: dict[str, dict[str, Any]] = {"path": {}, "query": {}, "header": {}, "body": {}}
    for slot in operation.slots:
        value = choose(slot.name, slot.required)
        if value is not None:
            filled[slot.where][slot.name] = value
    path = operation.path.format_map({name: quote(value, safe="") for name, value in filled["path"].items()})
    query = f"?{urlencode(filled['query'])}" if filled["query"] else ""
    has_body = any(slot.where == "body" for slot in operation.slots)
    return Request(operation.method, path + query, filled["header"], filled["body"] if has_body else None)


def choose_from(table: Mapping[str, list[Any]], pick: Callable[[list[Any]], Any]) -> Choose:
    """A choice by `pick` among what a table lists under each name."""

    def choose(name: str, required: bool) -> Any:
        assert name in table, f"the walk does not know what to send as {name}: say it in its table"
        return pick([value for value in table[name] if not (required and value is None)])

    return choose


def _parameters(document: Mapping[str, Any], *holders: Mapping[str, Any]) -> list[Slot]:
    told = [_resolve(document, parameter) for holder in holders for parameter in holder.get("parameters", [])]
    return [
        Slot(parameter["in"], parameter["name"], parameter.get("required", False))
        for parameter in told
        if not (parameter["in"] == "header" and parameter["name"].lower() in _EVERYWHERE)
    ]


def _body(document: Mapping[str, Any], operation: Mapping[str, Any]) -> list[Slot]:
    if "requestBody" not in operation:
        return []
    content = _resolve(document, operation["requestBody"])["content"]
    assert list(content) == ["application/json"], f"the walk sends JSON only, not {list(content)}"
    schema = _resolve(document, content["application/json"]["schema"])
    assert "properties" in schema, "the walk fills bodies that are objects with named fields"
    return [Slot("body", name, name in schema.get("required", [])) for name in schema["properties"]]


def _resolve(document: Mapping[str, Any], part: Mapping[str, Any]) -> Mapping[str, Any]:
    """The part itself, or what it refers to."""
    while "$ref" in part:
        found: Any = document
        for step in part["$ref"].removeprefix("#/").split("/"):
            found = found[step]
        part = found
    return part
