"""The names of zones: IANA's in any case, Windows' mapped, anything else refused (interop Z6)."""

import pytest
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from meetings.itip.errors import InvalidProperty
from meetings.itip.zones.names import zone_name
from tests.itip.zones.test_timezones import ZONES


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
def test_zone_is_known_by_iana_and_windows_names_in_any_case(written: str, name: str) -> None:
    assert zone_name(written) == name


@pytest.mark.parametrize(
    "value",
    [
        "", " ", "../etc/passwd", "/etc/passwd", "posixrules", "Factory", "localtime", "posix/Asia/Shanghai", "Asia",
        "Asia/Shanghai\x00", "\x00", "Asia/Shanghai\n", "Mars/Olympus", "A" * 10_000_000, "亚洲/上海", "\ud800", None,
        8, True, [], {}, "Asia/", b"Asia/Shanghai",
    ],
    ids=lambda value: repr(value)[:30],
)  # fmt: skip
def test_value_that_names_no_zone_is_refused(value: object) -> None:
    with pytest.raises(InvalidProperty, match="Asia/Shanghai") as refusal:
        zone_name(value)
    assert refusal.value.property == "TZID"


def test_every_windows_name_leads_to_a_zone_that_exists() -> None:
    assert {zone_name(name) for name in WINDOWS_TO_OLSON} <= set(ZONES)
