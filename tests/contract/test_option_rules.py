"""The OpenAPI document and the check of options agree on every value."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import ValidationError

from schemas.given_options import ImportOptionsSchema
from service.app import make_routes
from tests.contract.document import Document, read_document

NAMES = sorted(ImportOptionsSchema().fields)
WORDS = ["insert", "upsert", "skip", "abort", "keep", "clear", "derive", "utf-8", "utf-16-le", ",", "\t", ";", '"', "'"]
TEXTS = st.sampled_from(WORDS) | st.characters(codec="utf-8") | st.text(max_size=3)
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.integers(-1, 101) | TEXTS
    | st.floats(allow_nan=False, allow_infinity=False) | st.floats(-1, 101)
)  # fmt: skip
VALUES = SCALARS | st.lists(SCALARS, max_size=2) | st.dictionaries(st.text(min_size=1, max_size=3), SCALARS, max_size=3)
SCHEMA = {"$ref": "#/components/schemas/ImportOptions"}


@pytest.fixture(scope="module")
def document() -> Document:
    return read_document(make_routes())


def is_taken(options: object) -> bool:
    try:
        ImportOptionsSchema().load(options)  # type: ignore[arg-type]  # a caller may send anything
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize("name", [*NAMES, "unknown"])
def test_the_document_allows_exactly_what_is_taken(document: Document, name: str) -> None:
    @settings(max_examples=300)
    @given(VALUES)
    def agree(value: object) -> None:
        options = {name: value}
        # That a constant is not blank is looked at with its column.
        if not (name == "constants" and isinstance(value, dict) and "" in value.values()):
            assert (document.problems(SCHEMA, options) == []) == is_taken(options)

    agree()
