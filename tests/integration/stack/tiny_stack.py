"""A stack of the real servers and two tiny parts of our own, in a process that tests may kill."""

import sys
from pathlib import Path

from service.errors import WharfError
from service.stack.part import Part
from service.stack.up import Plan, StackOptions, run_stack

# A program with two children in sessions of their own, as PostgreSQL's are. Each has lost one of the two marks by which
# it could be known: the first its environment, the second its output.
_WITH_CHILDREN = """
import subprocess, sys, time
sleep = [sys.executable, "-c", "import time; time.sleep(600)"]
subprocess.Popen(sleep, start_new_session=True, env={})
subprocess.Popen(sleep, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
time.sleep(600)
"""


def list_parts(plan: Plan) -> list[Part]:
    """The servers, a step after them, and a part that runs with children."""
    after = ("valkey", "s3", "postgres")
    step = Part(name="step", command=(sys.executable, "-c", ""), once=True, after=after, is_ready=lambda: False)
    web = Part(name="web", command=(sys.executable, "-c", _WITH_CHILDREN), after=("step",), is_ready=lambda: True)
    return [*plan.servers.parts(), step, web]


def main() -> int:
    """Run it: the folder, the ready file, and a port if one is asked for."""
    folder, ready_file, *port = sys.argv[1:]
    options = StackOptions(
        folder=Path(folder),
        ready_file=Path(ready_file),
        port=int(port[0]) if port else None,
    )
    try:
        return run_stack(options, ensure_key=lambda _url, _key: ("tenant_1", "env_1"), list_parts=list_parts)
    except WharfError as error:
        print(error.message, file=sys.stderr)  # noqa: T201 - the test reads it
        return 1


if __name__ == "__main__":
    sys.exit(main())
