"""Links to finished exports: made on demand, never stored."""

from service.api.context import Context
from service.db.models import Task
from service.errors import NotFoundError


def export_link(here: Context, task: Task) -> str:
    """A link to the object of a finished export; raises NotFoundError when the object is gone."""
    key = task.file_url.removeprefix(f"s3://{here.settings.s3_bucket}/")
    if here.store.head(key) is None:
        message = "The export object is no longer in the bucket; create the export again"
        raise NotFoundError(message, task_id=task.id, file_url=task.file_url)
    return here.store.download_link(key, here.settings.link_seconds, task.file_name or key.rpartition("/")[2])
