"""Connections: customers' own buckets, to export to and import from."""

from http import HTTPStatus
from typing import Any

from flask import Response, jsonify
from sqlalchemy.orm import Session

from schemas import connections as bodies
from schemas.base import format_instant
from service.access import Principal
from service.api.auth import reads, writes
from service.api.blueprint import Blueprint
from service.api.context import context
from service.api.document import IDEMPOTENCY_KEY, error_name, named_headers
from service.api.listing import page_length
from service.api.once import do_once
from service.connections import records
from service.connections.terms import read_change, read_new
from service.db.models import Connection, Scope
from service.idempotency import Answer

blueprint = Blueprint("connections", __name__, url_prefix="/v1/connections", description="Customers' own buckets")

#: Ids are longer than the word `search`, which is a route of its own.
_ONE = "/<string(minlength=7):connection_id>"

#: Where to go on, for clients that are made from the document.
_LINKS = {
    name: {"operationId": name, "parameters": {"connection_id": "$response.body#/id"}}
    for name in ("getConnection", "updateConnection", "deleteConnection")
}


@blueprint.post("")
@writes
@blueprint.arguments(bodies.NewConnectionSchema, examples=bodies.NEW_CONNECTIONS)
@blueprint.doc(parameters=[IDEMPOTENCY_KEY], responses={201: {"links": _LINKS}})
@blueprint.response(201, bodies.ConnectionSchema, headers=named_headers("Idempotent-Replayed"))
@blueprint.alt_response(409, error_name(409))
@blueprint.alt_response(501, error_name(501))
def create_connection(principal: Principal, body: dict[str, Any]) -> Response:
    """Create a connection.

    First a small object is written, read and deleted there, encrypted as asked: 400 names the step that failed.
    """
    here = context()

    def make() -> Connection:
        terms = read_new(body, _scope(principal))
        columns = {"metadata_": body["metadata"], "created_by": principal.user_id, "updated_by": principal.user_id}
        return records.make_connection(here.settings, principal.scope_id, body["name"], terms, **columns)

    def create(session: Session, made: Connection) -> Answer:
        session.add(made)
        session.flush()
        return Answer(201, {}, _shown(made, principal))

    return do_once(principal, make, create).response()


@blueprint.get("")
@reads
@blueprint.arguments(bodies.ConnectionQuerySchema, location="query")
@blueprint.response(200, bodies.ConnectionPageSchema)
def list_connections(principal: Principal, wanted: dict[str, Any]) -> Response:
    """List connections, the newest first."""
    return _page(principal, wanted)


@blueprint.post("/search")
@reads
@blueprint.arguments(bodies.ConnectionSearchSchema, required=False)
@blueprint.response(200, bodies.ConnectionPageSchema)
def search_connections(principal: Principal, body: dict[str, Any]) -> Response:
    """Search for connections, the newest first."""
    return _page(principal, body)


@blueprint.get(_ONE)
@reads
@blueprint.response(200, bodies.ConnectionSchema)
@blueprint.alt_response(404, error_name(404))
def get_connection(principal: Principal, connection_id: str) -> Response:
    """Read a connection."""
    with context().reads() as session:
        return jsonify(_shown(records.find_connection(session, principal.scope_id, connection_id), principal))


@blueprint.put(_ONE)
@writes
@blueprint.arguments(bodies.ConnectionChangeSchema, required=False)
@blueprint.response(200, bodies.ConnectionSchema)
@blueprint.alt_response(404, error_name(404))
@blueprint.alt_response(409, error_name(409))
@blueprint.alt_response(501, error_name(501))
def update_connection(principal: Principal, body: dict[str, Any], connection_id: str) -> Response:
    """Change a connection.

    Its bucket and its endpoint stay. New credentials, and all else in `sync_config`, are tried as those of a new
    connection.
    """
    here = context()
    with here.reads() as session:
        seen = records.find_connection(session, principal.scope_id, connection_id)
    values: dict[str, Any] = {}
    if body["sync_config"] or body["encrypted_secret_data"]:
        values = records.try_change(here.settings, seen, read_change(body, seen, _scope(principal)))
    values |= {key: body[name] for name, key in (("name", "name"), ("metadata", "metadata_")) if body[name] is not None}
    with here.sessions.begin() as session:
        changed = records.change_connection(session, seen, updated_by=principal.user_id, **values)
        return jsonify(_shown(changed, principal))


@blueprint.delete(_ONE)
@writes
@blueprint.response(204, description="Deleted", headers=named_headers())
@blueprint.alt_response(404, error_name(404))
def delete_connection(principal: Principal, connection_id: str) -> Response:
    """Delete a connection.

    Its credentials are forgotten. What was exported through it stays in its bucket; we can no longer make links to it.
    """
    with context().sessions.begin() as session:
        records.delete_connection(session, principal.scope_id, connection_id, principal.user_id)
    answer = Response(status=HTTPStatus.NO_CONTENT)
    # There is no body to have a type.
    del answer.headers["Content-Type"]
    return answer


def _scope(principal: Principal) -> Scope:
    return Scope(id=principal.scope_id, tenant_id=principal.tenant_id, environment_id=principal.environment_id)


def _page(principal: Principal, wanted: dict[str, Any]) -> Response:
    limit, offset = page_length(wanted["limit"] or 0), wanted["offset"] or 0
    chosen = records.Wanted(provider_type=wanted["provider_type"], ids=wanted.get("connection_ids"))
    if wanted["status"]:
        chosen = records.Wanted(wanted["status"], chosen.provider_type, chosen.ids)
    with context().reads() as session:
        found, total = records.list_connections(session, principal.scope_id, chosen, limit, max(offset, 0))
        shown = [_shown(connection, principal) for connection in found]
    return jsonify({"connections": shown, "total": total, "limit": limit, "offset": offset})


def _shown(connection: Connection, principal: Principal) -> dict[str, Any]:
    """Every key of a connection, as ConnectionSchema describes them: no secret is among them."""
    return {
        "id": connection.id,
        "name": connection.name,
        "provider_type": connection.provider_type,
        "sync_config": {"s3": _shown_bucket(connection)},
        "metadata": connection.metadata_,
        "environment_id": principal.environment_id,
        "tenant_id": principal.tenant_id,
        "status": connection.status,
        "created_at": format_instant(connection.created_at),
        "updated_at": format_instant(connection.updated_at),
        "created_by": connection.created_by,
        "updated_by": connection.updated_by,
    }


def _shown_bucket(connection: Connection) -> dict[str, Any]:
    return {
        "bucket": connection.bucket or None,
        "region": connection.region or None,
        "key_prefix": connection.key_prefix,
        "endpoint_url": connection.endpoint_url,
        "use_path_style": connection.use_path_style,
        "encryption": connection.encryption,
        "kms_key_id": connection.kms_key_id,
        "compression": connection.compression,
        "role_arn": connection.role_arn,
        "external_id": connection.external_id,
        "is_flexprice_managed": connection.is_managed,
    }
