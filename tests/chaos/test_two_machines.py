"""Two machines on one database and one broker. One has its clock an hour off, by libfaketime."""

import time
from datetime import datetime
from pathlib import Path

import pytest

from tests.chaos.__main__ import report
from tests.chaos.run import Plan, run
from tests.support.servers import broker
from tests.support.servers.environments import environment
from tests.support.servers.processes import run as run_process
from tests.support.waiting import PATIENCE

AN_HOUR = 3600  # seconds
LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))


@pytest.mark.skipif(
    not LIBRARIES, reason="NO LIBFAKETIME: the clock of a machine cannot be put wrong"
)
def test_clock_an_hour_ahead_breaks_no_order_or_lease() -> None:
    ahead = {"LD_PRELOAD": str(LIBRARIES[0]), "FAKETIME": f"+{AN_HOUR}s"} if LIBRARIES else {}
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
    # Its clock was off, and no DTSTAMP is: all times are PostgreSQL's.
    clock = run_process(environment(**ahead), "-c", "import time; print(time.time())").stdout
    assert float(clock) - time.time() > AN_HOUR - 100
    stamps = [datetime.fromisoformat(str(item.version.dtstamp)) for item in outcome.taken]
    assert (max(stamps) - min(stamps)).total_seconds() < AN_HOUR - 100
