"""Whether the process is alive, and whether all that it needs answers."""

from flask import Response, jsonify
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from schemas.health import HealthSchema, ReadinessSchema
from service.api.blueprint import Blueprint
from service.api.context import context
from service.errors import WharfError

blueprint = Blueprint("health", __name__, is_public=True, description="For operators and load balancers")


@blueprint.get("/healthz")
@blueprint.response(200, HealthSchema)
def healthz() -> Response:
    """The process answers."""
    return jsonify({"status": "ok"})


@blueprint.get("/readyz")
@blueprint.response(200, ReadinessSchema)
@blueprint.alt_response(
    503,
    schema=ReadinessSchema,
    description="Something does not answer",
    example={"status": "unavailable", "failed": ["broker"]},
)
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
    except (DBAPIError, PoolTimeoutError):
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
