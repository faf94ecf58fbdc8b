"""Two machines on one database and one broker, one of them with its clock an hour off (Debian's
libfaketime).
"""

from datetime import datetime
from pathlib import Path

import pytest

from tests.chaos.__main__ import report
from tests.chaos.run import Version, broker_is_there, run

LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))


@pytest.mark.timeout(300)
@pytest.mark.skipif(
    not LIBRARIES, reason="NO LIBFAKETIME: the clock of a machine cannot be put wrong"
)
def test_order_and_leases_hold_though_one_machines_clock_is_an_hour_ahead() -> None:
    ahead = {"LD_PRELOAD": str(LIBRARIES[0]), "FAKETIME": "+3600s"} if LIBRARIES else {}
    plan = Version(
        seed=7,
        calls=150,
        seconds=40,
        web_workers=0,
        webs=0,
        mails=3,
        workers=1,
        postgres=0,
        purges=0,
        with_broker=broker_is_there(),
        second_machine=tuple(ahead.items()),
    )
    outcome = run(plan)
    wrong = outcome.balance.wrong + outcome.problems
    assert not wrong, "\n".join([report(outcome), *wrong, outcome.said])
    stamps = [datetime.strptime(item.dtstamp, "%Y%m%dT%H%M%S%z") for item in outcome.taken]
    assert (max(stamps) - min(stamps)).total_seconds() > 3500, "the clock was not off"
