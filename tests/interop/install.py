"""Installs what the engines outside Python need. An engine says itself what is still missing."""

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
    """Install the missing Debian packages, if run by root, and ical.js with npm.

    A failure is not reported here. The engine is then missing, and the run says so.
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
    query = ["dpkg-query", "--status", package]
    return subprocess.run(query, capture_output=True, check=False).returncode == 0


def _run(command: list[str]) -> None:
    subprocess.run(command, check=False, stdout=subprocess.DEVNULL)
