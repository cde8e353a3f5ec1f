"""Web servers to read from, and a certificate for one of them."""

import shutil
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.source.origin import Origin

# Of a test's own host, and of those whose share links are rewritten; the certificate is thrown away with the test.
NAMES = [
    *["files.example", "drive.google.com", "*.googleusercontent.com", "drive.usercontent.google.com"],
    *["www.dropbox.com", "*.dl.dropboxusercontent.com", "api.onedrive.com", "public.dm.files.1drv.com"],
    "raw.githubusercontent.com",
]


@pytest.fixture
def origin() -> Iterator[Origin]:
    server = Origin()
    yield server
    server.close()


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate for NAMES in one file, trusted by nobody else."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("the openssl command makes the certificate and is not installed")
    path = tmp_path_factory.mktemp("tls") / "files.example.pem"
    command = [openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    names = ["-subj", "/CN=files.example", "-addext", "subjectAltName=" + ",".join(f"DNS:{name}" for name in NAMES)]
    files = ["-keyout", str(path), "-out", str(path.with_suffix(".crt"))]
    subprocess.run([*command, *names, *files], check=True, capture_output=True)
    path.write_bytes(path.read_bytes() + path.with_suffix(".crt").read_bytes())
    return path


@pytest.fixture
def tls_origin(certificate: Path) -> Iterator[Origin]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server = Origin(context)
    yield server
    server.close()
