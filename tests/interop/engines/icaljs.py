"""ical.js, which is in Thunderbird and in the web pages of Nextcloud."""

from collections.abc import Sequence
from pathlib import Path

from tests.interop.readings import Reading, output_of, read_with

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

    def read(self, calendars: Sequence[str]) -> list[Reading]:
        """Have ical.js read each calendar."""
        return read_with(["node", str(_DRIVERS / "icaljs.mjs")], calendars)
