"""The web's composition root: the only place that builds the Flask app."""

from flask import Flask, Response, jsonify, request
from flask_smorest import Api

from schemas.errors import ErrorSchema
from service import __version__
from service.api import health, tasks, uploads
from service.api.context import Context
from service.api.errors import register_error_handlers
from service.config import Settings
from service.db.session import make_engine, make_sessions
from service.dispatch import CeleryDispatcher
from service.errors import ValidationError
from service.ids import new_ulid
from service.logs import configure_logs
from service.storage.s3 import S3ObjectStore

_OPENAPI = {
    "API_TITLE": "Wharf",
    "API_VERSION": "v1",
    "OPENAPI_VERSION": "3.1.0",
    "OPENAPI_URL_PREFIX": "/",
    "OPENAPI_JSON_PATH": "openapi.json",
}


class WharfApi(Api):
    """The API whose errors have our own body."""

    ERROR_SCHEMA = ErrorSchema


def create_app(settings: Settings) -> Flask:
    """Build the app of one web process; call it after fork, since it opens an engine."""
    engine = make_engine(settings.database_url, "wharf-web")
    here = Context(
        settings, make_sessions(engine), S3ObjectStore.from_settings(settings), CeleryDispatcher(settings.broker_url)
    )
    return build_app(here)


def build_app(here: Context) -> Flask:
    """The app over a context, which tests make of their own parts."""
    app = Flask("wharf", static_folder=None)
    app.config.update(_OPENAPI, MAX_CONTENT_LENGTH=here.settings.body_max_bytes)
    app.url_map.strict_slashes = False
    app.extensions["wharf"] = here
    api = WharfApi(app)
    api.register_blueprint(tasks.blueprint)
    api.register_blueprint(uploads.blueprint)
    app.register_blueprint(health.blueprint)
    app.add_url_rule("/", view_func=_index)
    register_error_handlers(app)
    app.before_request(_refuse_nul)
    app.after_request(_name_request)
    return app


def make_wsgi_app() -> Flask:
    """What a WSGI server calls in each of its processes: the settings come from the environment."""
    settings = Settings.from_environment()
    configure_logs(settings.log_level)
    return create_app(settings)


def _index() -> Response:
    return jsonify({"service": "wharf", "version": __version__, "api": "/v1", "openapi": "/openapi.json"})


def _refuse_nul() -> None:
    """No id or word of ours holds NUL, and PostgreSQL takes none; bodies are looked at by their parser."""
    if any("\0" in text for text in (request.path, *request.args.values())):
        message = "Invalid request format"
        raise ValidationError(message, url=["The path or the query holds the character NUL."])


def _name_request(response: Response) -> Response:
    """Every answer carries the id of its request, the caller's own or a fresh one."""
    response.headers["X-Request-ID"] = request.headers.get("X-Request-ID") or new_ulid()
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
