"""Bodies and queries of the row errors of a task."""

from marshmallow import fields, validate

from schemas.base import AnswerSchema, BodySchema, WholeNumber, count, told
from schemas.row_errors import RowErrorCode
from schemas.tasks import PaginationSchema

_BIGINT_MAX = 2**63 - 1


class RowErrorFilterSchema(BodySchema):
    """Which row errors to list."""

    code = fields.String(
        load_default=None,
        metadata={
            "description": "Only errors with this code; any other word matches nothing.",
            "examples": [str(code) for code in RowErrorCode],
        },
    )
    limit = WholeNumber(
        load_default=50, metadata=told("The longest page. More than 1000 means 1000, 0 and less mean 50.", 50)
    )
    offset = WholeNumber(
        load_default=0,
        validate=validate.Range(max=_BIGINT_MAX),
        metadata=told("How many matches to leave out before the page; less than 0 means none.", 0),
    )


class RowErrorSchema(AnswerSchema):
    """One reason for which a row was refused; a row may have several."""

    row = fields.Integer(metadata=told("Its number in the file, from 1, the header not counted.", 17))
    line = fields.Integer(metadata=told("The line where it begins, from 1, the header counted.", 18))
    column = fields.String(metadata=told('The column, or "" for the row as a whole.', "email"))
    code = fields.String(metadata=told("For programs. Others may follow.", RowErrorCode.INVALID_EMAIL))
    value = fields.String(allow_none=True, metadata=told("The first 100 characters of what stood there.", "anna@"))
    message = fields.String(
        metadata=told("For people.", 'email must be an address such as ann@example.com, not "anna@"')
    )


class RowErrorPageSchema(AnswerSchema):
    """One page of row errors in the order of the file, and how many rows were refused for what."""

    items = fields.List(fields.Nested(RowErrorSchema))
    pagination = fields.Nested(PaginationSchema)
    counts = fields.Dict(
        keys=fields.String(),
        values=fields.Integer(),
        metadata=told(
            "All refused rows by code, whatever the filter; a row with several errors counts for its first.",
            {"invalid_email": 1, "required": 1},
        ),
    )
    kept = count("Refused rows whose errors are kept to be read here: the first 1,000 of each chunk.", 2)
    rejected = count("All refused rows; the download has every one of them.", 2)


class RefusedRowsSchema(AnswerSchema):
    """A link to the refused rows; strings only, as clients expect."""

    download_url = fields.String(
        metadata=told(
            "A presigned link, good for 30 minutes unless the operator says otherwise.",
            "https://files.example.com/wharf/refused/task_01KA2NS4E0YGT9W3D6HPCX7MBZ.csv?X-Amz-Signature=0f3c",
            format="uri",
        )
    )
    file_name = fields.String(metadata=told("What browsers save it as.", "customers-march-refused.csv"))
