"""The stack's folder: what is accepted, what is refused with which words, and who holds it."""

import json
import os
from pathlib import Path

import pytest

from service.errors import ConfigurationError
from service.stack.folder import lock_folder, open_folder
from service.stack.identity import Identity
from service.stack.postgres import Postgres

NO_PROCESS = 2**22 + 1
"""Above Linux's highest process id."""


class FakeTime:
    """A clock that moves only when somebody waits."""

    def __init__(self) -> None:
        self.now = 0.0

    def clock(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.now += seconds


def test_a_new_folder_and_those_above_it_are_made_private(tmp_path: Path) -> None:
    folder = open_folder(tmp_path / "a" / "b")
    assert [path.stat().st_mode & 0o777 for path in (folder.path, folder.logs)] == [0o700, 0o700]


def test_an_earlier_stack_is_opened_again_and_closed_to_others(tmp_path: Path) -> None:
    open_folder(tmp_path / "stack")
    (tmp_path / "stack").chmod(0o755)
    assert open_folder(tmp_path / "stack").path.stat().st_mode & 0o777 == 0o700


def test_a_folder_with_other_things_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear")
    tmp_path.chmod(0o755)
    with pytest.raises(ConfigurationError, match=r"holds other things than a Wharf stack.*--data-dir"):
        open_folder(tmp_path)
    assert tmp_path.stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("inside", ["", "deeper/still"])
def test_a_file_where_the_folder_should_be_is_named(tmp_path: Path, inside: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigurationError, match=r"file.*(is a file, not a folder|Not a directory).*--data-dir"):
        open_folder(tmp_path / "file" / inside)


def test_a_file_where_logs_should_be_is_named(tmp_path: Path) -> None:
    (open_folder(tmp_path / "stack").logs).rmdir()
    (tmp_path / "stack" / "logs").write_text("")
    with pytest.raises(ConfigurationError, match=r"logs is a file, not a folder"):
        open_folder(tmp_path / "stack")


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(ConfigurationError, match=r"cannot be used: Permission denied.*--data-dir"):
        open_folder(tmp_path / "stack")


def test_a_second_stack_in_the_folder_is_told_who_holds_it(tmp_path: Path) -> None:
    folder = open_folder(tmp_path / "stack")
    held = rf"is in use by process {os.getpid()} since 20\d\d-.*\(`kill {os.getpid()}`\)"
    with lock_folder(folder), pytest.raises(ConfigurationError, match=held), lock_folder(folder):
        pass


def test_a_released_folder_is_free_again(tmp_path: Path) -> None:
    folder = open_folder(tmp_path / "stack")
    with lock_folder(folder):
        pass
    with lock_folder(folder) as lock:
        assert json.loads(os.pread(lock, 1000, 0))["pid"] == os.getpid()


def test_the_end_of_a_dead_holders_warden_is_waited_for(tmp_path: Path) -> None:
    folder, time = open_folder(tmp_path / "stack"), FakeTime()
    with lock_folder(folder) as lock:
        os.truncate(lock, 0)
        os.pwrite(lock, json.dumps({"pid": NO_PROCESS, "since": "then"}).encode(), 0)
        expected = rf"in use by process {NO_PROCESS} since then"
        with pytest.raises(ConfigurationError, match=expected), lock_folder(folder, clock=time.clock, wait=time.wait):
            pass
    assert time.now == pytest.approx(12.0, abs=0.1)


def make_postgres(tmp_path: Path) -> Postgres:
    """Lay out a server that is never started."""
    return Postgres(folder=open_folder(tmp_path / "stack"), port=1, password="")


def test_a_database_of_another_major_version_is_refused(tmp_path: Path) -> None:
    postgres = make_postgres(tmp_path)
    postgres.files.mkdir()
    (postgres.files / "PG_VERSION").write_text("17\n")
    with pytest.raises(ConfigurationError, match=r"was made by PostgreSQL 17, and this is 18\. Dump it with 17"):
        postgres.prepare(Identity((), os.geteuid()))


def test_a_folder_that_is_no_database_is_refused(tmp_path: Path) -> None:
    postgres = make_postgres(tmp_path)
    postgres.files.write_text("not a folder")
    with pytest.raises(ConfigurationError, match=r"postgres is no PostgreSQL database: .* backup"):
        postgres.prepare(Identity((), os.geteuid()))
