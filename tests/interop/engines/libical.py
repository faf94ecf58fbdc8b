"""libical: Evolution, GNOME Calendar, KOrganizer, Cyrus."""

from collections.abc import Sequence
from pathlib import Path

from tests.interop.answers import Answer, ask, output_of

_SOURCE = Path(__file__).parent.parent / "drivers" / "libical.c"
_INSTALL = "apt-get install gcc libical-dev"


class Libical:
    """Evaluates the VTIMEZONE of the message."""

    name = "libical"
    knows_zones = needs_names = False

    def __init__(self, build: Path) -> None:
        self._program = build / "libical"

    def version(self) -> str:
        """Compile the driver and return libical's version."""
        output_of(
            ["gcc", "-O2", "-o", str(self._program), str(_SOURCE), "-lical"], install=_INSTALL
        )
        return output_of([str(self._program), "--version"], install=_INSTALL)

    def read(self, calendars: Sequence[str]) -> list[Answer]:
        """Ask libical."""
        return ask([str(self._program)], calendars)
