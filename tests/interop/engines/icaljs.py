"""ical.js: Thunderbird, and the web front of Nextcloud."""

from collections.abc import Sequence
from pathlib import Path

from tests.interop.answers import Answer, ask, output_of

_DRIVERS = Path(__file__).parent.parent / "drivers"
_VERSION = (
    "process.stdout.write(JSON.parse(fs.readFileSync('node_modules/ical.js/package.json')).version)"
)


class IcalJs:
    """Evaluates the VTIMEZONE of the message; it has no zones of its own."""

    name = "ical.js"
    knows_zones = needs_names = False

    def version(self) -> str:
        """Return the version that npm installed."""
        command = ["node", "-e", f"process.chdir('{_DRIVERS}'); {_VERSION}"]
        return output_of(
            command, install="Node.js, then: npm install --prefix tests/interop/drivers"
        )

    def read(self, calendars: Sequence[str]) -> list[Answer]:
        """Ask ical.js."""
        return ask(["node", str(_DRIVERS / "icaljs.mjs")], calendars)
