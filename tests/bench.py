"""How long things take, in milliseconds: ``make bench``. Numbers in documents come from here.

build     one invitation (rule, zone, calendar, MIME) for a weekly series of 52 in America/New_York,
          after warm-up
validate  one request body to checked parameters to event, without the database
refuse    a series of 80 years that no VTIMEZONE describes, in a zone not looked at before
call      one POST through Django, PostgreSQL and a mail server on loopback
"""

import json
import os
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import django

BODY = {
    "operation": "send",
    "start": "2027-03-01 10:00",
    "end": "2027-03-01 11:00",
    "timezone": "America/New_York",
    "sender": "Alice <alice@example.com>",
    "receiver": {"required": [f"Person {number} <p{number}@example.org>" for number in range(5)]},
    "subj": "会议测试 weekly review",
    "description": "欢迎参加会议！",
    "location": "7F会议室",
    "repeat": {"FREQ": "WEEKLY", "COUNT": 52, "BYDAY": "MO"},
}


def milliseconds(action: Callable[[int], object], times: int) -> float:
    """Mean wall-clock time of ``action(n)``, after a tenth as many calls to warm up."""
    for number in range(times // 10):
        action(-1 - number)
    begin = time.perf_counter()
    for number in range(times):
        action(number)
    return (time.perf_counter() - begin) * 1000 / times


def build(number: int) -> object:
    """A meeting of its own each time: only what is kept for the zone is found again."""
    from meetings.imip.compose import compose
    from meetings.itip.recurrence.expansion import first_match
    from tests.support.cast import request

    event = request(
        rule=MONDAYS, tzid="America/New_York", start=START + timedelta(days=number % 300)
    ).event
    event = replace(
        event, start=first_match(MONDAYS, event.start), end=event.start + timedelta(hours=1)
    )
    return compose(replace(request(), event=event), language="zh-hans", domain="example.com")


def validate(number: int) -> object:
    """The body as JSON text, with a start of its own each time."""
    from meetings.api.reading.command import read_call

    start = START + timedelta(days=number % 300)
    body = BODY | {
        "start": f"{start:%Y-%m-%d %H:%M}",
        "end": f"{start + timedelta(hours=1):%Y-%m-%d %H:%M}",
    }
    return read_call(json.loads(json.dumps(body)), language="en")


def refuse(number: int) -> object:
    """Everything that is kept for zones is forgotten first."""
    from meetings.itip.errors import ZoneNotExpressible
    from meetings.itip.zones import law as zone_law
    from meetings.itip.zones import offsets as transitions
    from meetings.itip.zones import vtimezone as timezones

    for cache in (
        timezones._observances,
        transitions.transitions,
        transitions._in_year,
        zone_law._general_law,
    ):
        cache.cache_clear()
    times = tuple(
        datetime(year, month, 4, 10) for year in range(2019, 2099) for month in range(1, 13)
    )
    try:
        return timezones.observances(("Africa/Casablanca", "Africa/Cairo")[number % 2], times)
    except ZoneNotExpressible as refusal:
        return refusal


def call_milliseconds(times: int) -> float:
    """In a test database of its own, which is dropped afterwards."""
    from django.conf import settings
    from django.test import Client
    from django.test.utils import get_runner, override_settings

    from tests.support.servers.smtp_server import ScriptedSMTP

    runner = get_runner(settings)(verbosity=0, interactive=False)
    databases = runner.setup_databases()
    try:
        with (
            ScriptedSMTP() as server,
            override_settings(
                EMAIL_BACKEND="meetings.transport.smtp.backend.EmailBackend",
                EMAIL_HOST=server.host,
                EMAIL_PORT=server.port,
                MEETINGS_LOOPBACK_WITHOUT_KEY=True,
                ALLOWED_HOSTS=["testserver"],
            ),
        ):
            return milliseconds(
                lambda _: Client().post("/meeting_server/", BODY, "application/json"), times
            )
    finally:
        runner.teardown_databases(databases)


START = datetime(2027, 3, 1, 10)

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "meeting_server.settings")
    os.environ.setdefault("MEETINGS_RATE", "1000000/min")
    django.setup()
    from tests.support.cast import MONDAYS as _THREE_MONDAYS

    MONDAYS = replace(_THREE_MONDAYS, count=52)
    print(f"build     {milliseconds(build, 2000):6.2f} ms")
    print(f"validate  {milliseconds(validate, 2000):6.2f} ms")
    print(f"refuse    {milliseconds(refuse, 20):6.2f} ms")
    print(f"call      {call_milliseconds(300):6.2f} ms")
