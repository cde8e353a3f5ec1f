"""Links to what is in the bucket: made on demand, never stored."""

from pathlib import PurePosixPath
from typing import Any

from service.api.context import Context
from service.connections.destinations import find_object
from service.db.models import Task
from service.errors import NotFoundError, WharfError
from service.storage.objects import ObjectStore


def export_links(here: Context, task: Task) -> dict[str, Any]:
    """Links to the object of a finished export, or to its manifest and all of its files, as DownloadSchema has them.

    Raises NotFoundError when the object, or the manifest, or the connection to it is gone, and as stores do.
    """
    store, key = find_object(here.sessions, here.settings, here.store, task, patience="brisk")
    manifest = task.object_manifest or {}
    given = (task.options or {}).get("file_name") or task.file_name
    if not (task.options or {}).get("max_part_rows"):
        return {"download_url": _link(here, store, key, task, given)}
    parts = manifest["parts"]
    link = _link(here, store, key, task, None)
    files = [
        {
            "download_url": _sign(here, store, part["key"], _numbered(given, number)),
            **{name: part[name] for name in ("rows", "bytes", "sha256")},
        }
        for number, part in enumerate(parts, start=1)
    ]
    return {"download_url": link, "files": files}


def result_link(here: Context, task: Task) -> tuple[str | None, str]:
    """The link of a finished export, if it can be had, and what there is to say of it."""
    try:
        return export_links(here, task)["download_url"], ""
    except WharfError as error:
        return None, error.message


def _link(here: Context, store: ObjectStore, key: str, task: Task, file_name: str | None) -> str:
    if store.head(key) is None:
        message = "The export object is no longer in the bucket; create the export again"
        raise NotFoundError(message, task_id=task.id, file_url=task.file_url)
    return _sign(here, store, key, file_name)


def _sign(here: Context, store: ObjectStore, key: str, file_name: str | None) -> str:
    return store.download_link(key, here.settings.link_seconds, file_name or key.rpartition("/")[2])


def _numbered(file_name: str | None, number: int) -> str | None:
    """The name of one of several files: the number stands before the endings of its formats."""
    if file_name is None:
        return None
    unpacked = PurePosixPath(file_name.removesuffix(".gz").removesuffix(".zst"))
    stem = unpacked.stem or file_name
    return f"{stem}-{number:04}{file_name.removeprefix(stem)}"


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
