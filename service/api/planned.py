"""Routes that are not built yet: they answer 501, so that no other route takes their names for ids of tasks."""

from typing import NoReturn

from service.access import Principal
from service.api.auth import reads, writes
from service.api.blueprint import Blueprint
from service.api.document import error_name
from service.errors import NotImplementedYetError

blueprint = Blueprint("planned", __name__, url_prefix="/v1/tasks", description="Not built yet: these answer 501")

_NO_EVENTS = "Live events are not implemented yet; poll GET /v1/tasks/{id}"
_NO_SCHEDULES = "Scheduled tasks are not implemented yet; create an EXPORT task each time"


@blueprint.get("/events")
@reads
@blueprint.alt_response(501, error_name(501))
def follow_tasks(_principal: Principal) -> NoReturn:
    """Follow tasks as they change."""
    raise NotImplementedYetError(_NO_EVENTS)


@blueprint.get("/scheduled")
@reads
@blueprint.alt_response(501, error_name(501))
def list_scheduled_tasks(_principal: Principal) -> NoReturn:
    """List schedules: exports that begin by the clock."""
    raise NotImplementedYetError(_NO_SCHEDULES)


@blueprint.post("/scheduled")
@writes
@blueprint.alt_response(501, error_name(501))
def create_scheduled_task(_principal: Principal) -> NoReturn:
    """Create a schedule."""
    raise NotImplementedYetError(_NO_SCHEDULES)


@blueprint.get("/scheduled/<schedule_id>")
@reads
@blueprint.alt_response(501, error_name(501))
def get_scheduled_task(_principal: Principal, schedule_id: str) -> NoReturn:
    """Read one schedule."""
    raise NotImplementedYetError(_NO_SCHEDULES, schedule_id=schedule_id)


@blueprint.put("/scheduled/<schedule_id>")
@writes
@blueprint.alt_response(501, error_name(501))
def update_scheduled_task(_principal: Principal, schedule_id: str) -> NoReturn:
    """Switch a schedule on or off."""
    raise NotImplementedYetError(_NO_SCHEDULES, schedule_id=schedule_id)


@blueprint.delete("/scheduled/<schedule_id>")
@writes
@blueprint.alt_response(501, error_name(501))
def delete_scheduled_task(_principal: Principal, schedule_id: str) -> NoReturn:
    """Archive a schedule."""
    raise NotImplementedYetError(_NO_SCHEDULES, schedule_id=schedule_id)


@blueprint.post("/scheduled/<schedule_id>/run")
@writes
@blueprint.alt_response(501, error_name(501))
def run_scheduled_task(_principal: Principal, schedule_id: str) -> NoReturn:
    """Begin an export of a schedule now."""
    raise NotImplementedYetError(_NO_SCHEDULES, schedule_id=schedule_id)
