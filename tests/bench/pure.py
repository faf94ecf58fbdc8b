"""What needs neither a database nor a mail server."""

import json
from dataclasses import replace
from datetime import datetime, timedelta

from meetings.api.reading.command import read_call
from meetings.imip.compose import MailOptions, compose
from meetings.itip.errors import ZoneNotExpressible
from meetings.itip.recurrence.expansion import first_match
from meetings.itip.zones import law as zone_law
from meetings.itip.zones import offsets as transitions
from meetings.itip.zones import vtimezone as timezones
from meetings.itip.zones.refusal import require_exact
from tests.bench.timing import BODY
from tests.support.cast import MONDAYS as _THREE_MONDAYS
from tests.support.cast import NOW, request

MONDAYS = replace(_THREE_MONDAYS, count=52)
START = datetime(2027, 3, 1, 10)


def build(number: int) -> object:
    """A meeting of its own each time: only what is kept for the zone is found again."""
    event = request(
        rule=MONDAYS, tzid="America/New_York", start=START + timedelta(days=number % 300)
    ).event
    event = replace(
        event, start=first_match(MONDAYS, event.start), end=event.start + timedelta(hours=1)
    )
    options = MailOptions(language="zh-hans", domain="example.com", date=NOW)
    return compose(replace(request(), event=event), options)


def validate(number: int) -> object:
    """The body as JSON text, with a start of its own each time."""
    start = START + timedelta(days=number % 300)
    body = BODY | {
        "start": f"{start:%Y-%m-%d %H:%M}",
        "end": f"{start + timedelta(hours=1):%Y-%m-%d %H:%M}",
    }
    return read_call(json.loads(json.dumps(body)), language="en")


def refuse(number: int) -> object:
    """Everything that is kept for zones is forgotten first."""
    for cache in (
        timezones.exact_observances,
        transitions.transitions,
        transitions._in_year,
        zone_law._general_law,
    ):
        cache.cache_clear()
    times = tuple(
        datetime(year, month, 4, 10) for year in range(2019, 2099) for month in range(1, 13)
    )
    try:
        require_exact(
            ("Africa/Casablanca", "Africa/Cairo")[number % 2], zip(times, times, strict=True)
        )
    except ZoneNotExpressible as refusal:
        return refusal
    raise AssertionError("no VTIMEZONE describes these")
