"""Gets what the engines outside Python need, where that is allowed; what is not is said by the
engine itself.
"""

import os
import shutil
import subprocess
from pathlib import Path

_DRIVERS = Path(__file__).parent / "drivers"
_PACKAGES = (
    "gcc",
    "libc6-dev",
    "libical-dev",
    "php-cli",
    "php-mbstring",
    "php-sabre-vobject",
    "nodejs",
    "npm",
)


def install() -> None:
    """Install the missing Debian packages (as root only), and ical.js with npm; failures are left
    to be seen later.
    """
    missing = [name for name in _PACKAGES if not _is_installed(name)]
    if missing and os.geteuid() == 0 and shutil.which("apt-get"):
        _run(["apt-get", "install", "--yes", "--quiet", "--no-install-recommends", *missing])
    if shutil.which("npm") and not (_DRIVERS / "node_modules" / "ical.js").exists():
        _run(["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(_DRIVERS)])


def _is_installed(package: str) -> bool:
    if package in ("gcc", "npm") and shutil.which(package):
        return True
    if package == "nodejs" and shutil.which("node"):
        return True
    if not shutil.which("dpkg-query"):
        return False
    return (
        subprocess.run(
            ["dpkg-query", "--status", package], capture_output=True, check=False
        ).returncode
        == 0
    )


def _run(command: list[str]) -> None:
    subprocess.run(command, check=False, stdout=subprocess.DEVNULL)
