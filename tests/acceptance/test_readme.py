"""The README's walk with curl works as it stands there."""

import csv
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.acceptance.conftest import Stack
from tests.contract.repository import read

pytestmark = pytest.mark.xdist_group("stack")


def walk() -> str:
    """Every command of the walk, in order."""
    section = re.search(r"^## A walk with curl\n(.*?)^## ", read("README.md"), re.MULTILINE | re.DOTALL)
    assert section is not None
    return "\n".join(re.findall(r"^```sh\n(.*?)^```", section[1], re.MULTILINE | re.DOTALL))


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_walk_with_curl_tells_what_the_readme_says(stack: Stack, tmp_path: Path) -> None:
    folder = tmp_path / "var"
    folder.mkdir()
    (folder / "ready.json").write_text(json.dumps(stack.ready))
    ended = subprocess.run(
        ["/bin/sh", "-eu", "-c", walk()],
        cwd=tmp_path, env={**os.environ, "no_proxy": "127.0.0.1"},
        capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert (ended.returncode, ended.stderr) == (0, "")
    outcome, counts, summary, *exported = ended.stdout.splitlines()
    assert f"field outcome < var/task.json        # {outcome}: " in walk()
    assert f"field counts < var/task.json         # {counts}\n" in walk()
    assert f"field error_summary < var/task.json  # {summary}\n" in walk()
    rows = {row["external_id"]: (row["name"], row["email"], row["address_country"]) for row in csv.DictReader(exported)}
    assert rows["acme"] == ("Acme Ltd", "billing@acme.example", "GB")
    assert rows["globex"] == ("Globex", "", "US")
    assert "initech" not in rows
