"""The web's composition root: the only place that builds the Flask app."""

from flask import Flask, Response, jsonify, request

from service import __version__
from service.api import connections, docs, health, planned, refused, tasks, uploads
from service.api.context import Context
from service.api.document import SPEC, Api
from service.api.errors import register_error_handlers
from service.api.fast_json import FastJsonProvider
from service.api.headers import add_headers, name_request
from service.config import Settings
from service.db.session import make_engine, make_sessions
from service.dispatch import CeleryDispatcher
from service.errors import ValidationError
from service.rate_limit import RedisRateLimiter, rate_limit_url
from service.storage.s3 import S3ObjectStore


def create_app(settings: Settings) -> Flask:
    """Build the app of one web process; call it after fork, since it opens an engine."""
    engine = make_engine(settings.database_url, "wharf-web", connections=settings.web_threads)
    here = Context(
        settings,
        make_sessions(engine),
        S3ObjectStore.from_settings(settings),
        CeleryDispatcher(settings.broker_url),
        RedisRateLimiter(settings.rate_limit_url or rate_limit_url(settings.broker_url)),
    )
    return build_app(here)


def build_app(here: Context) -> Flask:
    """The app over a context, which tests make of their own parts."""
    app = make_routes()
    app.json = FastJsonProvider(app)
    app.config["MAX_CONTENT_LENGTH"] = here.settings.body_max_bytes
    app.extensions["wharf"] = here
    return app


def make_routes() -> Flask:
    """The app with nothing behind its routes, which is all that the OpenAPI document needs."""
    app = Flask("wharf", static_folder=None)
    app.config.update(SPEC)
    # A redirect would lose the body of a request in some clients.
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    api = Api(app)
    for resource in (tasks, refused, uploads, connections, planned, health):
        api.register_blueprint(resource.blueprint)
    app.register_blueprint(docs.blueprint)
    app.add_url_rule("/", view_func=_index)
    register_error_handlers(app)
    app.before_request(name_request)
    app.before_request(_refuse_nul)
    app.after_request(add_headers)
    return app


def _index() -> Response:
    here = {"api": "/v1", "openapi": "/openapi.json", "docs": "/docs"}
    return jsonify({"service": "wharf", "version": __version__, **here})


def _refuse_nul() -> None:
    """No id or word of ours holds NUL, and PostgreSQL takes none; bodies are looked at by their parser."""
    if any("\0" in text for text in (request.path, *request.args.values())):
        message = "Invalid request format"
        raise ValidationError(message, url=["The path or the query holds the character NUL."])
