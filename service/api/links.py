"""Links to what is in the bucket: made on demand, never stored."""

from pathlib import PurePosixPath

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


def refused_link(here: Context, task: Task) -> tuple[str, str]:
    """A link to the refused rows of an import, and their file's name; raises NotFoundError when the object is gone."""
    key = str(task.refused_key)
    if here.store.head(key) is None:
        message = "The refused rows are no longer in the bucket; import the source again"
        raise NotFoundError(message, task_id=task.id)
    name = _refused_name(task, key)
    return here.store.download_link(key, here.settings.link_seconds, name), name


def _refused_name(task: Task, key: str) -> str:
    """As the creator called the source, without the endings of its own formats."""
    given = (task.file_name or task.entity_type.lower()).removesuffix(".gz").removesuffix(".zst")
    return f"{PurePosixPath(given).stem or given}-refused{PurePosixPath(key).suffix}"
