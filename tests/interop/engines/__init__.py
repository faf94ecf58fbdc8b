"""One file for each independent reader of calendars."""

from pathlib import Path

from tests.interop.engines.icaljs import IcalJs
from tests.interop.engines.libical import Libical
from tests.interop.engines.outlook import Outlook
from tests.interop.engines.recurring import RecurringIcalEvents
from tests.interop.engines.rfc5545 import Rfc5545
from tests.interop.engines.sabre import Sabre
from tests.interop.engines.vobject_ import VObject
from tests.interop.readings import Engine


def python_engines() -> list[Engine]:
    """Return those that need nothing but Python."""
    return [Rfc5545(), Outlook(), RecurringIcalEvents(), VObject()]


def all_engines(build: Path) -> list[Engine]:
    """Return all of them; ``build`` is a folder in which a driver may be compiled."""
    return [*python_engines(), IcalJs(), Libical(build), Sabre()]
