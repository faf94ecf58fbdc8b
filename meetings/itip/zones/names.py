"""The names of time zones: a caller may use IANA or Windows names, a calendar gets IANA names."""

from functools import lru_cache
from typing import Final
from zoneinfo import available_timezones

from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from meetings.itip.errors import InvalidProperty

UTC_NAME: Final = "UTC"
"""The only name for UTC. Times in UTC are written with ``Z``, without a VTIMEZONE (interop Z6)."""

_UTC_ALIASES: Final = frozenset(
    {"UTC", "UCT", "Universal", "Zulu", "Etc/UTC", "Etc/UCT", "Etc/Universal", "Etc/Zulu"}
)

# zoneinfo lists these names too. "Factory" is no zone, and the other two differ between machines.
_NOT_A_ZONE: Final = frozenset({"Factory", "localtime", "posixrules"})

# Since 2024 these are links to other zones (file "backward" of tzdata). A reader in PHP would take
# the abbreviation for a fixed offset without daylight saving time.
_ABBREVIATIONS: Final = {
    "CET": "Europe/Brussels",
    "EET": "Europe/Athens",
    "MET": "Europe/Brussels",
    "WET": "Europe/Lisbon",
}

# A caller may send megabytes. The longest IANA and Windows names have half this length.
_MAX_LENGTH: Final = 64


def zone_name(value: object) -> str:
    """Return the IANA name for a zone that is given by its IANA or Windows name (interop Z6, Z7).

    The case of letters does not matter. Every alias of UTC gives ``"UTC"``. CET, EET, MET and WET
    give a place in that zone. Raises InvalidProperty for anything else.
    """
    if isinstance(value, str) and len(value) <= _MAX_LENGTH:
        name = _names_by_key().get(value.strip(" ").casefold())
        if name:
            return name
    raise InvalidProperty(
        "TZID", "The time zone is not known. Use an IANA name such as Asia/Shanghai."
    )


@lru_cache(maxsize=1)
def _names_by_key() -> dict[str, str]:
    """The IANA name for every accepted name; the keys are casefolded, later entries win."""
    windows = {name.casefold(): iana for name, iana in WINDOWS_TO_OLSON.items()}
    iana = {name.casefold(): name for name in available_timezones() - _NOT_A_ZONE}
    utc = {alias.casefold(): UTC_NAME for alias in _UTC_ALIASES}
    abbreviations = {name.casefold(): place for name, place in _ABBREVIATIONS.items()}
    return {**windows, **iana, **utc, **abbreviations}
