"""``make chaos`` in small: a few processes killed, and not a mail lost, out of order, or twice
without a reason.
"""

import os

import pytest

from tests.chaos.__main__ import report
from tests.chaos.run import Version, broker_is_there, run


@pytest.mark.timeout(300)
def test_nothing_is_lost_or_overtaken_whatever_is_killed() -> None:
    plan = Version(
        seed=int(os.environ.get("SEED", "20")),
        calls=150,
        seconds=40,
        web_workers=2,
        webs=1,
        mails=1,
        workers=1,
        with_broker=broker_is_there(),
    )
    outcome = run(plan)
    wrong = outcome.balance.wrong + outcome.problems
    assert not wrong, "\n".join([report(outcome), *wrong, outcome.said])
    assert outcome.balance.promised > 0
