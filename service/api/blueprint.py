"""A blueprint whose arguments answer 400 in our own words, never 422, and hold nothing that cannot be stored."""

import re
from http import HTTPStatus
from typing import Any, ClassVar, NoReturn

import marshmallow
from flask import Request
from flask_smorest import Blueprint as SmorestBlueprint
from webargs.flaskparser import FlaskParser

from schemas.base import example_of
from schemas.json_text import InvalidJsonError, parse_json
from service.api.document import (
    ENVIRONMENT_ID,
    GUARDED_ERRORS,
    PATH_PARAMETERS,
    PUBLIC_ERRORS,
    REQUEST_ID,
    error_name,
    guarded_headers,
    named_headers,
)
from service.errors import ValidationError


class ArgumentsParser(FlaskParser):
    """Reads bodies and queries; one wrong field is told under its name."""

    DEFAULT_VALIDATION_STATUS = 400

    def load_json(self, req: Request, schema: marshmallow.Schema) -> Any:
        """The body as JSON, whatever its content type says; raises ValidationError for what is none."""
        del schema
        body = req.get_data(cache=True)
        if req.content_length is None:
            # A body that does not tell its length is cut at the limit in silence; who reads on is told.
            req.stream.read(1)
        try:
            return parse_json(body.decode()) if body else {}
        except (InvalidJsonError, UnicodeDecodeError) as error:
            reason = str(error) if isinstance(error, InvalidJsonError) else "is not UTF-8"
            message = "Invalid request format"
            raise ValidationError(message, body=[f"The body {reason}."]) from error

    def handle_error(self, error: marshmallow.ValidationError, *_args: Any, **_kwargs: Any) -> NoReturn:
        """Raise our own error for what a schema refuses."""
        where, fields = next(iter(error.messages_dict.items()))
        message = "Invalid filter parameters" if where == "query" else "Invalid request format"
        raise ValidationError(message, **(fields if isinstance(fields, dict) else {"body": fields})) from error


class Blueprint(SmorestBlueprint):
    """Routes of one resource; what all of them share is in the OpenAPI document without a word of theirs."""

    ARGUMENTS_PARSER: ClassVar[ArgumentsParser] = ArgumentsParser()

    def __init__(self, name: str, import_name: str, *, is_public: bool = False, **options: Any) -> None:
        """Routes that are not public ask for a key."""
        super().__init__(name, import_name, **options)
        self._is_public = is_public
        self._prepare_doc_cbks.append(self._tell_what_is_shared)

    def arguments(self, schema: Any, **options: Any) -> Any:
        """Read a body or a query by a schema, which is made once and not for each request."""
        return super().arguments(schema() if isinstance(schema, type) else schema, **options)

    def add_url_rule(
        self, rule: str, endpoint: str | None = None, view_func: Any = None, *args: Any, **options: Any
    ) -> None:
        """Register a route; its operationId is the handler's name, and its path's parameters are described."""
        named = [PATH_PARAMETERS[name] for name in re.findall(r"<(?:[^<>]+:)?(\w+)>", rule)]
        shared = [REQUEST_ID] if self._is_public else [REQUEST_ID, ENVIRONMENT_ID]
        super().add_url_rule(rule, endpoint, view_func, *args, **options | {"parameters": [*named, *shared]})
        first, *words = view_func.__name__.split("_")
        manual = {"operationId": first + "".join(word.title() for word in words)}
        if self._is_public:
            manual["security"] = []
        for operation in self._docs[endpoint or view_func.__name__].values():
            if isinstance(operation, dict):
                operation["manual_doc"] = manual | operation.get("manual_doc", {})

    def _tell_what_is_shared(self, operation: dict[str, Any], *_: Any, **__: Any) -> dict[str, Any]:
        """Add the errors that any route may answer, to each answer its headers, and to each body an example."""
        statuses = [*(PUBLIC_ERRORS if self._is_public else GUARDED_ERRORS)]
        if "requestBody" in operation:
            statuses.append(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        _add_examples(operation.get("requestBody", {}))
        told = operation["responses"] | {status: error_name(status) for status in statuses}
        for response in told.values():
            if isinstance(response, dict):
                self._complete(response)
        return operation | {"responses": {status: told[status] for status in sorted(told)}}

    def _complete(self, response: dict[str, Any]) -> None:
        headers = named_headers if self._is_public else guarded_headers
        response["headers"] = headers(*response.get("headers", ()))
        _add_examples(response)


def _add_examples(told: dict[str, Any]) -> None:
    """Show a body that has no example of its own by the examples of its fields."""
    for content in told.get("content", {}).values():
        if "examples" not in content:
            schema = content["schema"]
            content.setdefault("example", example_of(schema() if isinstance(schema, type) else schema))
