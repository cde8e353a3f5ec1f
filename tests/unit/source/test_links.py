"""Share links become download links by their host alone."""

import pytest

from service.source.guard import AddressGuard
from service.source.links import direct_link

DRIVE = "https://drive.google.com/uc?export=download&id=1aB-c_9"


def link_of(url: str) -> str:
    """The link as a fetch makes it, with the host that the guard reads out of the URL."""
    return direct_link(url, AddressGuard(frozenset({"127.0.0.1"})).check_url(url).host)


@pytest.mark.parametrize(
    ("shared", "fetched"),
    [
        ("https://drive.google.com/file/d/1aB-c_9/view?usp=sharing", DRIVE),
        ("https://drive.google.com/open?id=1aB-c_9", DRIVE),
        ("https://drive.google.com/d/1aB-c_9", DRIVE),
        ("https://drive.google.com/uc?id=1aB-c_9", DRIVE),
        ("HTTPS://Drive.Google.com:443/file/d/1aB-c_9/view#page", DRIVE),
        ("https://drive.google.com./file/d/1aB-c_9", DRIVE),
        ("https://drive%2egoogle.com/file/d/1aB-c_9", DRIVE),
        ("https://dropbox.com/s/x/rows.csv", "https://dropbox.com/s/x/rows.csv?dl=1"),
        (
            "https://www.dropbox.com/scl/fi/x/rows.csv?rlkey=a%2Bb&dl=0&st=1",
            "https://www.dropbox.com/scl/fi/x/rows.csv?rlkey=a%2Bb&st=1&dl=1",
        ),
        ("https://www.dropbox.com/s/x/rows.csv?dl=0#p", "https://www.dropbox.com/s/x/rows.csv?dl=1#p"),
        ("https://www.dropbox.com/s/x/rows.csv?dl=1", "https://www.dropbox.com/s/x/rows.csv?dl=1"),
        (
            "https://1drv.ms/u/s!AbC?e=1",
            "https://api.onedrive.com/v1.0/shares/u!aHR0cHM6Ly8xZHJ2Lm1zL3UvcyFBYkM_ZT0x/root/content",
        ),
        (
            "https://onedrive.live.com/x",
            "https://api.onedrive.com/v1.0/shares/u!aHR0cHM6Ly9vbmVkcml2ZS5saXZlLmNvbS94/root/content",
        ),
        (
            "https://github.com/acme/rows/blob/main/a/rows.csv",
            "https://raw.githubusercontent.com/acme/rows/main/a/rows.csv",
        ),
        (
            "https://www.github.com/acme/rows/blob/main/blob/rows.csv?raw=true",
            "https://raw.githubusercontent.com/acme/rows/main/blob/rows.csv?raw=true",
        ),
    ],
)
def test_a_share_link_becomes_a_download_link(shared: str, fetched: str) -> None:
    assert link_of(shared) == fetched


@pytest.mark.parametrize(
    "url",
    [
        "https://files.example/rows.csv",
        "https://files.example/rows.csv?from=drive.google.com/file/d/1aB/view",
        "https://drive.google.com.example/file/d/1aB/view",
        "https://drive.google.com/drive/my-drive",
        "https://drive.google.com/uc?export=download&id=1aB&confirm=t",
        "https://drive.google.com/open?id=1aB%26x%3D127.0.0.1",
        "https://drive.google.com/open?id=é",
        "https://files.example/#https://drive.google.com/file/d/1aB/view",
        "https://files.example/https://1drv.ms/u/x",
        "https://notdropbox.com/s/x",
        "https://github.com/acme/rows/releases/download/1/rows.csv",
        "https://gist.github.com/acme/rows/blob/x",
        "https://bucket.s3.eu-west-1.amazonaws.com/rows.csv?X-Amz-Signature=dropbox.com",
        "http://127.0.0.1:8000/rows.csv",
    ],
)
def test_any_other_link_stays_as_it_is(url: str) -> None:
    assert link_of(url) == url
