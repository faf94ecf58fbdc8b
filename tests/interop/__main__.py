"""``python -m tests.interop``: every zone through every engine; writes docs/interop-results.md.

Exit status 1 for a difference without a known reason, a refusal that does not help, or an engine
that is missing.
"""

import argparse
import sys
import tempfile
import time
import zoneinfo
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

from tests.interop.answers import Engine, EngineMissingError
from tests.interop.cases import ZONES
from tests.interop.engines import all_engines
from tests.interop.install import install
from tests.interop.report import report
from tests.interop.runner import run

_DOCUMENT = Path("docs/interop-results.md")


def main() -> int:
    """Run; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.interop", description=__doc__)
    parser.add_argument(
        "--every", type=int, default=1, metavar="N", help="try every Nth zone only; writes no file"
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
        _say(f"MISSING: {name} was not asked. To install it: {how}")
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
    """Which zone database zoneinfo reads: the system's, where there is one, else the package's."""
    for folder in map(Path, zoneinfo.TZPATH):
        source = folder / "tzdata.zi"
        if source.exists():
            return f"{source.read_text(encoding='utf-8').splitlines()[0].removeprefix('# version ')} (of the system)"
        if (folder / "Europe").exists():
            return f"unknown version in {folder}"
    return f"{version('tzdata')} (package tzdata, as the server uses it)"


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
