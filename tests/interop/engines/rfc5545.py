"""A reader written from RFC 5545 alone (§3.1 lines, §3.3.5 times, §3.3.10 rules, §3.6.5 zones)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from importlib.metadata import version

from dateutil.rrule import rrulestr

from tests.interop.expected import Moment
from tests.interop.readings import Reading, read_each, reading
from tests.support.readers.vtimezone_reader import ReadPart, offset_read, parts_of

_EPOCH = datetime(1970, 1, 1)


@dataclass(frozen=True, slots=True)
class Properties:
    """What a VEVENT says about its times, as naive times on the clock of its zone."""

    start: datetime
    end: datetime
    rule: str
    excluded: frozenset[datetime]
    all_day: bool
    in_utc: bool
    zone: tuple[ReadPart, ...]


class Rfc5545:
    """Follows RFC 5545, except that each end is at the same wall-clock time."""

    name = "RFC 5545 reader"
    knows_zones = needs_names = False

    def version(self) -> str:
        """Return what expands the rules."""
        return f"a reader after RFC 5545, dateutil {version('python-dateutil')}"

    def read(self, calendars: Sequence[str]) -> list[Reading]:
        """Expand each calendar."""
        return read_each(_read, calendars)


def _read(calendar: str) -> Reading:
    event = properties_of(calendar)
    length = event.end - event.start
    starts = starts_of(event)
    return reading((instant(event, start), instant(event, start + length)) for start in starts)


def instant(event: Properties, wall_clock: datetime) -> Moment:
    """Return the instant of a local time, by the event's VTIMEZONE."""
    if event.all_day:
        return f"{wall_clock:%Y%m%d}"
    offset = timedelta() if event.in_utc else offset_read(event.zone, wall_clock)
    return int((wall_clock - offset - _EPOCH).total_seconds())


def starts_of(event: Properties) -> Iterator[datetime]:
    """Yield the wall-clock start of every occurrence."""
    if not event.rule:
        yield event.start
        return
    parts = event.rule.split(";")
    kept = [part for part in parts if not part.startswith("UNTIL=")]
    until = "".join(part.removeprefix("UNTIL=") for part in parts if part not in kept)
    last = _last(event, until)
    # dateutil compares wall-clock times, but RFC 5545 §3.3.10 compares UNTIL as an instant.
    for start in rrulestr(";".join(kept), dtstart=event.start):
        if last is not None and int(instant(event, start)) > last:
            return
        if start not in event.excluded:
            yield start


def _last(event: Properties, until: str) -> int | None:
    if not until:
        return None
    if event.all_day:
        return int(until)
    return int((_local(until.removesuffix("Z")) - _EPOCH).total_seconds())


def properties_of(calendar: str) -> Properties:
    """Read the VEVENT and the VTIMEZONE of ``calendar``.

    Raises ValueError if there is another number of either.
    """
    lines = calendar.replace("\r\n ", "").split("\r\n")
    if lines.count("BEGIN:VEVENT") != 1 or lines.count("BEGIN:VTIMEZONE") > 1:
        raise ValueError("not one VEVENT with one VTIMEZONE at most")
    found = [line.partition(":") for line in lines[lines.index("BEGIN:VEVENT") :]]
    by_name = {name.split(";")[0]: (name, value) for name, _, value in found}
    name, start = by_name["DTSTART"]
    excluded = frozenset(
        _local(value)
        for line, _, values in found
        if line.startswith("EXDATE")
        for value in values.split(",")
    )
    event = Properties(
        start=_local(start),
        end=_local(by_name["DTEND"][1]),
        rule=by_name.get("RRULE", ("", ""))[1],
        excluded=excluded,
        all_day="VALUE=DATE" in name,
        in_utc=start.endswith("Z"),
        zone=(),
    )
    if event.all_day or event.in_utc:
        return event
    return replace(event, zone=_zone(name, lines))


def _zone(dtstart: str, lines: list[str]) -> tuple[ReadPart, ...]:
    tzid = dtstart.partition("TZID=")[2]
    if f"TZID:{tzid}" not in lines:
        raise ValueError(f"no VTIMEZONE {tzid}")
    zone = lines[lines.index("BEGIN:VTIMEZONE") + 1 : lines.index("END:VTIMEZONE")]
    return tuple(parts_of(zone))


def _local(text: str) -> datetime:
    form = "%Y%m%dT%H%M%S" if "T" in text else "%Y%m%d"
    return datetime.strptime(text.removesuffix("Z"), form).replace(tzinfo=UTC).replace(tzinfo=None)
