"""The names of zones that callers may use (interop Z6)."""

import pytest
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from meetings.itip.errors import InvalidProperty
from meetings.itip.zones.names import zone_name
from tests.interop.cases import ZONES


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("Asia/Shanghai", "Asia/Shanghai"),
        ("asia/shanghai", "Asia/Shanghai"),
        (" AMERICA/NEW_YORK ", "America/New_York"),
        ("China Standard Time", "Asia/Shanghai"),
        ("china standard time", "Asia/Shanghai"),
        ("W. Europe Standard Time", "Europe/Berlin"),
        ("UTC", "UTC"),
        ("utc", "UTC"),
        ("Etc/UTC", "UTC"),
        ("Zulu", "UTC"),
        ("CET", "Europe/Brussels"),
        ("wet", "Europe/Lisbon"),
        ("GMT", "GMT"),
        ("Etc/GMT-8", "Etc/GMT-8"),
    ],
)
def test_zone_name_accepts_iana_and_windows_names(written: str, name: str) -> None:
    assert zone_name(written) == name


@pytest.mark.parametrize(
    "value",
    [
        "", " ", "\x00", "A" * 10_000_000, "\ud800",
        "Mars/Olympus", "亚洲/上海", "Asia", "Asia/", "Asia/Shanghai\x00", "Asia/Shanghai\n",
        "../etc/passwd", "/etc/passwd", "posix/Asia/Shanghai",
        "posixrules", "Factory", "localtime",
        None, 8, True, [], {}, b"Asia/Shanghai",
    ],
    ids=lambda value: repr(value)[:30],
)  # fmt: skip
def test_unknown_zone_name_is_refused(value: object) -> None:
    with pytest.raises(InvalidProperty, match="Asia/Shanghai") as refusal:
        zone_name(value)
    assert refusal.value.property == "TZID"


def test_every_windows_name_leads_to_a_zone() -> None:
    assert {zone_name(name) for name in WINDOWS_TO_OLSON} <= set(ZONES)
