"""What a monitor reads."""

import json

from meetings.models import DeliveryState
from tests.commands.conftest import Run
from tests.support.background import queue
from tests.support.smtp_server import ScriptedSMTP
from tests.support.stored import sent


def test_the_backlog_names_every_state_and_the_oldest_that_waits(
    run: Run, mail_server: ScriptedSMTP
) -> None:
    sent()
    [line] = run("backlog")
    nothing = dict.fromkeys(DeliveryState.values, 0) | {"oldest_queued_seconds": None}
    assert json.loads(line) == nothing | {"sent": 2}
    queue("another")
    [line] = run("backlog")
    stands = json.loads(line)
    assert (stands["sent"], stands["queued"]) == (2, 2)
    assert stands["oldest_queued_seconds"] >= 0
