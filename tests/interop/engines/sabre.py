"""sabre/vobject: Nextcloud, ownCloud, Baïkal."""

from collections.abc import Sequence
from pathlib import Path

from tests.interop.answers import Answer, ask, output_of

_DRIVER = Path(__file__).parent.parent / "drivers" / "sabre.php"


class Sabre:
    """Reads no VTIMEZONE: it looks a TZID up in PHP's own database."""

    name = "sabre/vobject"
    knows_zones = needs_names = True

    def version(self) -> str:
        """Return the version that Debian installed."""
        return output_of(
            ["php", str(_DRIVER), "--version"], install="apt-get install php-cli php-sabre-vobject"
        )

    def read(self, calendars: Sequence[str]) -> list[Answer]:
        """Ask sabre/vobject."""
        return ask(["php", str(_DRIVER)], calendars)
