"""sabre/vobject, which is in Nextcloud, ownCloud and Baïkal."""

from collections.abc import Sequence
from pathlib import Path

from tests.interop.readings import Reading, output_of, read_with

_DRIVER = Path(__file__).parent.parent / "drivers" / "sabre.php"


class Sabre:
    """Reads no VTIMEZONE, but looks a TZID up in the database of PHP."""

    name = "sabre/vobject"
    knows_zones = needs_names = True

    def version(self) -> str:
        """Return the version that Debian installed."""
        return output_of(
            ["php", str(_DRIVER), "--version"], install="apt-get install php-cli php-sabre-vobject"
        )

    def read(self, calendars: Sequence[str]) -> list[Reading]:
        """Have sabre/vobject read each calendar."""
        return read_with(["php", str(_DRIVER)], calendars)
