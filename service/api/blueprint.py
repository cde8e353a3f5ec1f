"""A blueprint whose arguments answer 400 in our own words, never 422, and hold nothing that cannot be stored."""

from typing import Any, ClassVar, NoReturn

import marshmallow
from flask import Request
from flask_smorest import Blueprint as SmorestBlueprint
from webargs.flaskparser import FlaskParser

from schemas.json_text import InvalidJsonError, parse_json
from service.errors import ValidationError


class ArgumentsParser(FlaskParser):
    """Reads bodies and queries; one wrong field is told under its name."""

    def load_json(self, req: Request, schema: marshmallow.Schema) -> Any:
        """The body as JSON, whatever its content type says; raises ValidationError for what is none."""
        del schema
        body = req.get_data(cache=True)
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
    """Routes of one resource."""

    ARGUMENTS_PARSER: ClassVar[ArgumentsParser] = ArgumentsParser()
