"""Mails and iTIP messages as other organizers' programs write them, for tests of the reader."""

SHANGHAI = """\
BEGIN:VTIMEZONE
TZID:Asia/Shanghai
BEGIN:STANDARD
DTSTART:19700101T000000
TZOFFSETFROM:+0800
TZOFFSETTO:+0800
END:STANDARD
END:VTIMEZONE
"""
NEW_YORK = """\
BEGIN:VTIMEZONE
TZID:America/New_York
BEGIN:STANDARD
DTSTART:19701101T020000
RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU
TZOFFSETFROM:-0400
TZOFFSETTO:-0500
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:19700308T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU
TZOFFSETFROM:-0500
TZOFFSETTO:-0400
END:DAYLIGHT
END:VTIMEZONE
"""
EVENT = {
    "UID": ":meeting",
    "SEQUENCE": ":0",
    "DTSTAMP": ":20320201T000000Z",
    "ORGANIZER": ":mailto:alice@example.com",
    "ATTENDEE": ":mailto:bob@example.org",
    "DTSTART": ";TZID=Asia/Shanghai:20320301T100000",
    "DTEND": ";TZID=Asia/Shanghai:20320301T110000",
    "SUMMARY": ":Review",
}


def calendar(
    method: str = "REQUEST", *more: str, zone: str = SHANGHAI, **properties: str | None
) -> str:
    """A calendar with one VEVENT. A property is what follows its name, ``None`` leaves it out."""
    named = EVENT | {name.replace("_", "-"): value for name, value in properties.items()}
    lines = [f"{name}{value}" for name, value in named.items() if value is not None]
    event = "\n".join(["BEGIN:VEVENT", *lines, *more, "END:VEVENT"])
    text = f"BEGIN:VCALENDAR\nVERSION:2.0\nMETHOD:{method}\n{zone}{event}\nEND:VCALENDAR\n"
    return text.replace("\n", "\r\n")
