"""Two machines on one database and one broker. One has its clock an hour off, by libfaketime."""

from datetime import datetime
from pathlib import Path

import pytest

from tests.chaos.__main__ import report
from tests.chaos.run import Plan, run
from tests.support.servers import broker
from tests.support.waiting import PATIENCE

LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))


@pytest.mark.skipif(
    not LIBRARIES, reason="NO LIBFAKETIME: the clock of a machine cannot be put wrong"
)
def test_clock_an_hour_ahead_breaks_no_order_or_lease() -> None:
    ahead = {"LD_PRELOAD": str(LIBRARIES[0]), "FAKETIME": "+3600s"} if LIBRARIES else {}
    plan = Plan(
        seed=7,
        calls=150,
        seconds=PATIENCE,
        web_workers=0,
        webs=0,
        mails=3,
        workers=1,
        postgres=0,
        purges=0,
        with_broker=broker.is_there(),
        second_machine=tuple(ahead.items()),
    )
    outcome = run(plan)
    assert not outcome.wrong, "\n".join([report(outcome), *outcome.wrong, outcome.said])
    stamps = [datetime.strptime(item.dtstamp, "%Y%m%dT%H%M%S%z") for item in outcome.taken]
    assert (max(stamps) - min(stamps)).total_seconds() > 3500, "the clock was not off"
