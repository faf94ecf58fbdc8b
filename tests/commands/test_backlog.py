"""``manage.py backlog``."""

import json

from meetings.models import DeliveryState
from tests.commands.conftest import Run
from tests.support.servers.smtp_server import ScriptedSMTP
from tests.support.stored import sent
from tests.support.stories import queue


def test_backlog_prints_states_and_oldest_age(run: Run, mail_server: ScriptedSMTP) -> None:
    sent()
    [line] = run("backlog")
    nothing = dict.fromkeys(DeliveryState.values, 0) | {"oldest_queued_seconds": None}
    assert json.loads(line) == nothing | {"sent": 2}
    queue("another")
    [line] = run("backlog")
    printed = json.loads(line)
    assert (printed["sent"], printed["queued"]) == (2, 2)
    assert printed["oldest_queued_seconds"] >= 0
