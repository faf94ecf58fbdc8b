"""``make chaos`` in small."""

import os

from tests.chaos.__main__ import report
from tests.chaos.run import Plan, run
from tests.support.servers import broker
from tests.support.waiting import PATIENCE


def test_kills_lose_nothing_and_overtake_nothing() -> None:
    plan = Plan(
        seed=int(os.environ.get("SEED", "20")),
        calls=150,
        seconds=PATIENCE,
        web_workers=2,
        webs=1,
        mails=1,
        workers=1,
        with_broker=broker.is_there(),
    )
    outcome = run(plan)
    assert not outcome.wrong, "\n".join([report(outcome), *outcome.wrong, outcome.said])
    assert outcome.balance.promised > 0
