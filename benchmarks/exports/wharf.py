"""One export through Wharf's own API, from the creation of its task to its end, and the memory of its worker."""

from pathlib import Path
from typing import Any

import psutil

from benchmarks.exports.cases import Case
from benchmarks.imports.memory import read_peak
from benchmarks.imports.stack import Stack
from benchmarks.imports.wharf import Run, create_task, follow_task, task_seconds

# Writing it to /proc/<pid>/clear_refs sets the peak (VmHWM) back to what is resident now; proc_pid_clear_refs(5).
_RESET_PEAK = "5"


def run_export(stack: Stack, case: Case, rows: int) -> Run:
    """Export a table; gives the time by the task's own clock. Raises HTTPError and RuntimeError."""
    pool = stack.parts()["worker"].children(recursive=True)
    before = _begin(stack, pool)
    task, phases = follow_task(stack, create_task(stack, _body(case)))
    after = stack.cpu_seconds()
    if (task["task_status"], task["total_records"]) != ("COMPLETED", rows):
        message = f"{case.name}: {task['task_status']} {task['total_records']} {task['error_summary']}"
        raise RuntimeError(message)
    _delete_object(stack, task["file_url"])
    return Run(
        rows,
        task_seconds(task),
        phases,
        {part: after[part] - before.get(part, 0.0) for part in after},
        max(map(read_peak, pool)),
    )


def _body(case: Case) -> dict[str, Any]:
    body: dict[str, Any] = {"task_type": "EXPORT", "entity_type": case.table.upper(), "file_type": case.file_type}
    return body if case.compression == "none" else {**body, "options": {"compression": case.compression}}


def _begin(stack: Stack, pool: list[psutil.Process]) -> dict[str, float]:
    """Forget earlier peaks; gives the CPU seconds until now."""
    for process in pool:
        Path(f"/proc/{process.pid}/clear_refs").write_text(_RESET_PEAK, encoding="ascii")
    return stack.cpu_seconds()


def _delete_object(stack: Stack, file_url: str) -> None:
    """The embedded store keeps each object as a file; those of all runs would fill the disk."""
    bucket, _, key = file_url.removeprefix("s3://").partition("/")
    (stack.data_dir / "s3" / bucket / key).unlink()
