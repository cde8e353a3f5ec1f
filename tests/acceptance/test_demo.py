"""`wharf demo` ends well and tells what happened."""

import os
import subprocess
import sys
from pathlib import Path


def test_demo_says_where_the_log_is_when_the_stack_does_not_start(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    environment = {**os.environ, "WHARF_CHUNK_BYTES": "many"}
    ended = subprocess.run(
        [sys.executable, "-m", "service.cli", "demo", "--data-dir", str(folder)],
        env=environment, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert ended.returncode == 1
    assert f"The stack's output is in {folder / 'up.log'}" in ended.stderr
