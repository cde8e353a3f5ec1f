"""As whom PostgreSQL runs: it refuses root, so root starts it as nobody without opening any folder to others."""

import os
import shlex
import subprocess
from dataclasses import dataclass
from pathlib import Path

from service.errors import ConfigurationError

_NOBODY = 65534
_PROBE_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Identity:
    """The words to put before a command, and the user id that then owns its files as seen from outside."""

    prefix: tuple[str, ...]
    uid: int


# Inside, root is called nobody; outside, it stays the owner of its files, so a clone in /root (0700) does.
IN_A_NAMESPACE = Identity(
    ("unshare", "--user", f"--map-user={_NOBODY}", f"--map-group={_NOBODY}", "--"),
    uid=0,
)
# Where user namespaces are refused (Docker's default), or where the folder is below another user's home. The one
# capability left lets it pass folders that are closed to nobody. The death signal is PostgreSQL's immediate shutdown:
# without CAP_SYS_PTRACE the warden cannot read another user's environment, so the kernel does its work here.
AS_NOBODY = Identity(
    (
        "setpriv",
        f"--reuid={_NOBODY}",
        f"--regid={_NOBODY}",
        "--clear-groups",
        "--inh-caps=-all,+dac_override",
        "--ambient-caps=-all,+dac_override",
        "--bounding-set=-all,+dac_override",
        "--pdeathsig=QUIT",
        "--",
    ),
    uid=_NOBODY,
)


def choose_identity(program: Path, folder: Path) -> Identity:
    """The first way in which `program` runs and writes in `folder`: as we are, unless we are root.

    Raises ConfigurationError where root has no such way.
    """
    if os.geteuid() != 0:
        return Identity((), os.geteuid())
    for identity in (IN_A_NAMESPACE, AS_NOBODY):
        if _works(identity, program, folder):
            return identity
    raise ConfigurationError(
        f"PostgreSQL does not run as root, and here root can start it neither in a user namespace (unshare) nor as "
        f"nobody (setpriv) with access to {folder}. Start Wharf as an ordinary user.",
    )


def _works(identity: Identity, program: Path, folder: Path) -> bool:
    question = f"{shlex.quote(str(program))} --version && test -w {shlex.quote(str(folder))}"
    try:
        answer = subprocess.run(
            [*identity.prefix, "/bin/sh", "-c", question],
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_PROBE_SECONDS,
        )
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0
