"""A whole installation, as ``make run`` starts it, and a mail server that is slow or hangs."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from statistics import median

from tests.bench.callers import Answer, call_while_it_hangs, invite_for, update_at_once
from tests.bench.elsewhere import elsewhere, listening
from tests.bench.sink import mail_server
from tests.support.servers.site import TIMES, Site, open_folder
from tests.support.waiting import wait_until

SECONDS = 4.0
IS_DUE = "SELECT FROM meetings_meeting WHERE due_at IS NOT NULL LIMIT 1"


@contextmanager
def installation(mail_port: int) -> Iterator[Site]:
    """Web server and mail loop, with no setting but the mail server, which is at that port."""
    defaults = dict.fromkeys(TIMES, "")
    url = f"smtp://127.0.0.1:{mail_port}"
    with (
        open_folder() as var,
        Site(var, url, with_broker=False, with_pgbouncer=False, **defaults) as site,
    ):
        site.start("web")
        site.start("mail")
        site.wait_for_web()
        yield site


def invitations() -> Iterator[tuple[str, int, Sequence[Answer]]]:
    """What a mail server offers, how many callers, and what they were answered in SECONDS."""
    for offer, kind in {"PIPELINING": "pipelining", "no PIPELINING": "quick"}.items():
        with (
            mail_server(kind) as far,
            listening("tests.bench.line", str(far)) as near,
            installation(near) as site,
        ):
            elsewhere(invite_for, site.port, callers=8, seconds=1.0)  # it warms both processes up
            for callers in (1, 8, 32, 64):
                answers = elsewhere(invite_for, site.port, callers=callers, seconds=SECONDS)
                yield offer, callers, answers
                wait_until(lambda: not site.query(IS_DUE), "the mails of the background")


def one_meeting() -> Mapping[str, Sequence[Answer]]:
    """Updates of one meeting at 4 s a mail, and others meanwhile."""
    with mail_server("slow for one") as port, installation(port) as site:
        return elsewhere(update_at_once, site.port)


def a_hang() -> Mapping[str, Sequence[Answer]]:
    """Sends to a mail server that says nothing, and others meanwhile."""
    with mail_server("hanging") as port, installation(port) as site:
        return elsewhere(call_while_it_hangs, site.port)


def accepted(answers: Sequence[Answer]) -> int:
    """How many of the answers say that the mail server has the mail."""
    return sum(answer.is_accepted for answer in answers)


def promised(answers: Sequence[Answer]) -> int:
    """How many of the answers say that the background goes on."""
    return sum(answer.status == 202 for answer in answers)


def p50(answers: Sequence[Answer]) -> float:
    """Milliseconds."""
    return median(answer.seconds for answer in answers) * 1000


def slowest(answers: Sequence[Answer]) -> float:
    """Milliseconds."""
    return max(answer.seconds for answer in answers) * 1000
