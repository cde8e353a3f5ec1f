"""A blueprint whose arguments answer 400 in our own words, never 422."""

from typing import Any, ClassVar, NoReturn

import marshmallow
from flask_smorest import Blueprint as SmorestBlueprint
from webargs.flaskparser import FlaskParser

from service.errors import ValidationError


class ArgumentsParser(FlaskParser):
    """Reads bodies and queries; one wrong field is told under its name."""

    def handle_error(self, error: marshmallow.ValidationError, *_args: Any, **_kwargs: Any) -> NoReturn:
        """Raise our own error for what a schema refuses."""
        where, fields = next(iter(error.messages_dict.items()))
        message = "Invalid filter parameters" if where == "query" else "Invalid request format"
        raise ValidationError(message, **(fields if isinstance(fields, dict) else {"body": fields})) from error

    def _handle_invalid_json_error(self, error: Any, *_args: Any, **_kwargs: Any) -> NoReturn:
        message = "Invalid request format"
        raise ValidationError(message, body=["Not a valid JSON object."]) from error


class Blueprint(SmorestBlueprint):
    """Routes of one resource."""

    ARGUMENTS_PARSER: ClassVar[ArgumentsParser] = ArgumentsParser()
