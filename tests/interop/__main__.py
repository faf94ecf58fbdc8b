"""``python -m tests.interop``: have every engine read meetings in every zone.

Writes docs/interop-results.md. The exit status is 1 if a difference has no known reason, a refusal
does not help, or an engine is missing.
"""

import argparse
import sys
import tempfile
import time
import zoneinfo
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

from tests.interop.cases import ZONES
from tests.interop.engines import all_engines
from tests.interop.install import install
from tests.interop.readings import Engine, EngineMissingError
from tests.interop.report import report
from tests.interop.runner import run

_DOCUMENT = Path("docs/interop-results.md")


def main() -> int:
    """Run, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.interop", description=__doc__)
    parser.add_argument(
        "--every", type=int, default=1, metavar="N", help="try only every Nth zone, write no file"
    )
    parser.add_argument("--no-install", action="store_true", help="install nothing")
    options = parser.parse_args()
    if not options.no_install:
        install()
    with tempfile.TemporaryDirectory() as build:
        return _run(all_engines(Path(build)), every=options.every)


def _run(engines: Iterable[Engine], *, every: int) -> int:
    began = time.monotonic()
    present, versions, missing = _present(engines)
    results = run(ZONES[::every], present)
    text = report(
        results, versions=versions, missing=missing, tzdata=_tzdata(), command="make interop"
    )
    if every == 1:
        _DOCUMENT.write_text(text, encoding="utf-8")
    _say(text)
    _say(f"{time.monotonic() - began:.0f} s")
    for name, how in missing.items():
        _say(f"MISSING: {name} read nothing. To install it: {how}")
    return 1 if results.unexplained or results.complaints or missing else 0


def _present(engines: Iterable[Engine]) -> tuple[list[Engine], dict[str, str], dict[str, str]]:
    present: list[Engine] = []
    versions: dict[str, str] = {}
    missing: dict[str, str] = {}
    for engine in engines:
        try:
            versions[engine.name] = engine.version()
            present.append(engine)
        except EngineMissingError as absent:
            missing[engine.name] = str(absent)
    return present, versions, missing


def _tzdata() -> str:
    """Which zone database zoneinfo reads: that of the system if there is one, else the package."""
    for folder in map(Path, zoneinfo.TZPATH):
        source = folder / "tzdata.zi"
        if source.exists():
            first_line = source.read_text(encoding="utf-8").splitlines()[0]
            return f"{first_line.removeprefix('# version ')} (of the system)"
        if (folder / "Europe").exists():
            return f"unknown version in {folder}"
    return f"{version('tzdata')} (package tzdata, as the server uses it)"


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
