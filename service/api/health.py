"""Whether the process is alive, and whether all that it needs answers."""

from flask import Blueprint, Response, jsonify
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from service.api.context import context
from service.errors import WharfError

blueprint = Blueprint("health", __name__)


@blueprint.get("/healthz")
def healthz() -> Response:
    """The process answers."""
    return jsonify({"status": "ok"})


@blueprint.get("/readyz")
def readyz() -> tuple[Response, int]:
    """Database, broker and object store answer; 503 and the name of what does not otherwise."""
    checks = {
        "database": _database_answers,
        "broker": _broker_answers,
        "store": _store_answers,
    }
    failed = [name for name, answers in checks.items() if not answers()]
    return jsonify({"status": "unavailable" if failed else "ok", "failed": failed}), 503 if failed else 200


def _database_answers() -> bool:
    try:
        with context().sessions() as session:
            session.execute(text("SELECT 1"))
    except DBAPIError:
        return False
    return True


def _broker_answers() -> bool:
    return context().dispatcher.answers()


def _store_answers() -> bool:
    try:
        context().store.check()
    except WharfError:
        return False
    return True
