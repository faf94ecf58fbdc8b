"""libical, which is in Evolution, GNOME Calendar, KOrganizer and Cyrus."""

from collections.abc import Sequence
from pathlib import Path

from tests.interop.readings import Reading, output_of, read_with

_SOURCE = Path(__file__).parent.parent / "drivers" / "libical.c"
_INSTALL = "apt-get install gcc libical-dev"


class Libical:
    """Evaluates the VTIMEZONE of the message."""

    name = "libical"
    knows_zones = needs_names = False

    def __init__(self, build: Path) -> None:
        self._program = build / "libical"

    def version(self) -> str:
        """Compile the driver, and return the version of libical."""
        output_of(
            ["gcc", "-O2", "-o", str(self._program), str(_SOURCE), "-lical"], install=_INSTALL
        )
        return output_of([str(self._program), "--version"], install=_INSTALL)

    def read(self, calendars: Sequence[str]) -> list[Reading]:
        """Have libical read each calendar."""
        return read_with([str(self._program)], calendars)
