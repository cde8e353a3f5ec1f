"""What schemathesis makes of the OpenAPI document is answered as the document says, by the web as it is served."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas.vocabulary import Role
from service.access import add_key, new_key
from service.stack.checks import ask_http
from service.stack.ports import random_ports
from service.stack.servers import RunningServers
from tests.acceptance.conftest import wait_until
from tests.contract.repository import ROOT

_READY_SECONDS = 60
_RUN_SECONDS = 540
#: A database of the broker that nothing else uses: the tasks created here are never run.
_BROKER_DATABASE = "8"


@pytest.fixture
def port(servers: RunningServers, database_url: str, tmp_path: Path) -> Iterator[int]:
    """Where a web process listens."""
    port = next(random_ports())
    environment = {
        **os.environ,
        **servers.settings(),
        "WHARF_BROKER_URL": servers.valkey.url().rpartition("/")[0] + "/" + _BROKER_DATABASE,
        "WHARF_DATABASE_URL": database_url,
        "WHARF_PORT": str(port),
        "WHARF_WEB_PROCESSES": "1",
        # Above all that is sent here, so that 429 stays out of the way while the headers are sent.
        "WHARF_REQUESTS_PER_MINUTE": "1000000",
        # No `size` that the document allows is too long.
        "WHARF_FILE_MAX_BYTES": str(2**63 - 1),
        # Nobody's roles are asked for.
        "WHARF_STS_ENDPOINT": "http://127.0.0.1:1",
        # The hosts of made-up URLs have no address; a name server that is away must not be waited for.
        "RES_OPTIONS": "timeout:1 attempts:1",
    }
    with (tmp_path / "web.log").open("wb") as log:
        web = subprocess.Popen([sys.executable, "-m", "service.cli", "web"], env=environment, stdout=log, stderr=log)
    try:
        wait_until(lambda: web.poll() is not None or ask_http(port, "/healthz") == 200, _READY_SECONDS)
        assert web.poll() is None, (tmp_path / "web.log").read_text()
        yield port
    finally:
        web.terminate()
        web.wait(_READY_SECONDS)


@pytest.mark.timeout(_RUN_SECONDS + _READY_SECONDS)
def test_every_operation_answers_as_documented(
    port: int, database_url: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    key = new_key()
    add_key(database_url, "tenant_a", "env_a", key, "schemathesis", Role.ADMIN)
    run = subprocess.run(
        [
            Path(sys.executable).with_name("st"),
            *("--config-file", str(ROOT / "tests/acceptance/schemathesis.toml")),
            *("run", f"http://127.0.0.1:{port}/openapi.json", "--checks", "all", "--header", f"x-api-key: {key}"),
            *("--report", "json", "--report-json-path", str(tmp_path / "report.json"), "--no-color"),
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_RUN_SECONDS,
        check=False,
    )
    assert run.returncode == 0, run.stdout
    report = json.loads((tmp_path / "report.json").read_text())
    record_property("summary", summary(report))
    assert report["operations"]["tested"] == report["operations"]["total"], run.stdout
    assert [name for name, phase in report["phases"].items() if phase["status"] != "success"] == [], run.stdout
    assert report["test_cases"]["generated"] >= 2000, run.stdout


def summary(report: dict[str, Any]) -> str:
    """One line for the log."""
    cases, operations = report["test_cases"], report["operations"]["tested"]
    return (
        f"schemathesis {report['schemathesis_version']}: {cases['generated']} cases of {operations} operations "
        f"({', '.join(report['phases'])}; all checks), {cases['unique_failures']} failures, "
        f"{report['running_time']:.0f} s, seed {report['seed']}"
    )
