"""The page /docs: shows the OpenAPI document and sends requests by it; nothing of it comes from another server."""

from pathlib import Path

import flask_swagger_ui
from flask import Blueprint, Response, abort, send_file

blueprint = Blueprint("docs", __name__, url_prefix="/docs")

_OURS = Path(__file__).parent / "static"
_SWAGGER_UI = Path(flask_swagger_ui.__file__).parent / "dist"
#: All that can be had, and where it lies.
_ASSETS = {
    "docs.js": _OURS,
    "swagger-ui.css": _SWAGGER_UI,
    "swagger-ui-bundle.js": _SWAGGER_UI,
    "favicon-32x32.png": _SWAGGER_UI,
}
_ASSET_SECONDS = 24 * 60 * 60

# Swagger UI's style sheet holds its icons as data: URLs. It styles elements by script, which needs no 'unsafe-inline',
# and connects to get the document and to send what its reader tries.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@blueprint.get("")
def page() -> Response:
    """The page itself."""
    return send_file(_OURS / "docs.html", max_age=0)


@blueprint.get("/<name>")
def asset(name: str) -> Response:
    """A script, a style sheet or an icon of the page."""
    if name not in _ASSETS:
        abort(404)
    return send_file(_ASSETS[name] / name, max_age=_ASSET_SECONDS)


@blueprint.after_request
def guard(response: Response) -> Response:
    """Let the page load and send nothing but what it needs."""
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
