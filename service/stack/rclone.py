"""The embedded object store: rclone serving a plain folder as S3, a folder per bucket."""

import os
from dataclasses import dataclass, field
from http import HTTPStatus

from service.stack.binaries import find_rclone
from service.stack.checks import ask_http
from service.stack.folder import StackFolder
from service.stack.part import Part
from service.stack.ports import HOST

REGION = "us-east-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rclone:
    """One S3 server over `<folder>/s3` with one key pair and, from the start, the bucket `bucket`; path style only."""

    folder: StackFolder
    port: int
    access_key_id: str
    secret_access_key: str = field(repr=False)
    bucket: str = "wharf"

    @property
    def endpoint(self) -> str:
        """The endpoint for clients."""
        return f"http://{HOST}:{self.port}"

    def make_bucket(self, name: str) -> None:
        """Make a bucket; safe to call twice."""
        self.folder.folder(f"s3/{name}")

    def part(self) -> Part:
        """The part for the supervisor; ConfigurationError where the program is missing."""
        files = self.folder.folder("s3")
        return Part(
            name="s3",
            # --no-cleanup: a bucket stays when its last object has been deleted.
            command=(str(find_rclone()), "serve", "s3", str(files), "--addr", f"{HOST}:{self.port}", "--no-cleanup"),
            environment={
                "PATH": os.defpath,
                "RCLONE_AUTH_KEY": f'"{self.access_key_id},{self.secret_access_key}"',
                # Nobody's own rclone settings.
                "RCLONE_CONFIG": os.devnull,
                "RCLONE_CACHE_DIR": str(self.folder.folder("rclone")),
            },
            prepare=lambda: self.make_bucket(self.bucket),
            # It answers, and not to strangers: without its key pair it would give everybody 200.
            is_ready=lambda: ask_http(self.port, "/") in {HTTPStatus.BAD_REQUEST, HTTPStatus.FORBIDDEN},
        )
