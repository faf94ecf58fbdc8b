"""How long things take: ``make bench``. Numbers in documents come from here.

    BENCH="calls slow" make bench    # only these: pure calls claims plans slow crowd hang

build     one invitation (rule, zone, calendar, MIME) for a weekly series of 52 in America/New_York,
          after warm-up
validate  one request body to checked parameters to event, without the database
refuse    a series of 80 years that no VTIMEZONE describes, in a zone not looked at before
call      one POST of that series for 5 people, through Django, PostgreSQL and a mail server on
          loopback
send      one POST of a meeting for one person, in the same way; then its update and its cancel
claim     meetings a second that 1, 16 and 64 workers claim, 20 at a time, and whose outcome they
          record; and the share of their claims that found nothing although there was work
plan      what 1,000 people, who know the meeting as it was 50 versions ago, are to be told; and to
          compose their mail, which names all of them
step      the background's work on a series with 100 changed occurrences for 1,000 people, of whom
          nobody was told yet: a step stores 1,000 deliveries at most. The longest of 5 steps, the
          longest statement, which is how long the meeting's row is locked, and the mails made

The rest is of a whole installation without settings: gunicorn with 2 processes, and deliver_mail.

slow      invitations, of one person each, over a line to the mail server that delays each direction
          by 10 ms; their p50 with one caller. Accepted: 200 and result 1, so the mail server has
          the mail. Promised: 202, which say that the background sends
crowd     60 updates of one meeting at once, whose mails take 4 s each, and how long others wait in
          the meantime, who call one after the other
hang      the same with a mail server that accepts connections and says nothing, to which 64 callers
          send, who call again when they are answered
"""

import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import django

if TYPE_CHECKING:
    from tests.bench.callers import Answer


def pure() -> Iterator[str]:
    from tests.bench.pure import build, refuse, validate
    from tests.bench.timing import milliseconds

    yield f"build     {milliseconds(build, 2000):6.2f} ms"
    yield f"validate  {milliseconds(validate, 2000):6.2f} ms"
    yield f"refuse    {milliseconds(refuse, 20):6.2f} ms"


def calls() -> Iterator[str]:
    from tests.bench.calls import call, calls_of_one_meeting
    from tests.bench.timing import milliseconds

    yield f"call      {milliseconds(lambda _: call(), 300):6.2f} ms"
    for operation, mean in calls_of_one_meeting(300).items():
        yield f"{operation:<9} {mean:6.2f} ms"


def claims() -> Iterator[str]:
    from tests.bench.claims import claim_and_record

    for workers in (1, 16, 64):
        found = claim_and_record(workers)
        yield f"claim     {found.rate:6.0f} /s  {workers:>2} workers, {found.empty:.1%} empty"


def plans() -> Iterator[str]:
    from tests.bench.plans import plan_after_versions, steps_of_changed_occurrences

    decided, composed = plan_after_versions(people=1_000, versions=50)
    yield f"plan      {decided:6.0f} ms, then {composed:.0f} ms to compose the mail"
    found = steps_of_changed_occurrences(people=1_000, days=100, steps=5)
    locked, mails = f"{found.locked:.0f} ms of it locked", f"{found.mails} mails in 5 steps"
    yield f"step      {found.longest:6.0f} ms, {locked}, {mails}"


def slow() -> Iterator[str]:
    from tests.bench.slow import SECONDS, accepted, invitations, p50, promised

    for offer, callers, answers in invitations():
        if callers == 1:
            yield f"slow      {p50(answers):6.2f} ms  p50, callers: 1, {offer}"
        of = f"callers: {callers}, {offer}"
        yield f"slow      {accepted(answers) / SECONDS:6.0f} /s  accepted, {of}"
        yield f"slow      {promised(answers) / SECONDS:6.0f} /s  promised, {of}"


def crowd() -> Iterator[str]:
    from tests.bench.slow import one_meeting

    yield from _waits("crowd", one_meeting())


def hang() -> Iterator[str]:
    from tests.bench.slow import a_hang

    yield from _waits("hang", a_hang())


def _waits(row: str, found: "Mapping[str, Sequence[Answer]]") -> Iterator[str]:
    from tests.bench.slow import p50, promised, slowest

    for what, answers in found.items():
        of = f"{what}, {len(answers)} calls, {promised(answers)} of them 202"
        yield f"{row:<9} {slowest(answers):6.0f} ms  at most, {p50(answers):.0f} ms median: {of}"


# Those of the second kind use the database that ``site`` makes.
Rows = dict[str, Callable[[], Iterator[str]]]
ALONE: Rows = {"pure": pure, "slow": slow, "crowd": crowd, "hang": hang}
ON_SITE: Rows = {"calls": calls, "claims": claims, "plans": plans}


def main() -> None:
    """Print the rows, or those that BENCH names."""
    from tests.bench.calls import site

    wanted = os.environ.get("BENCH", "").split() or [*ALONE, *ON_SITE]
    show(ALONE, wanted)
    if ON_SITE.keys() & set(wanted):
        with site():
            show(ON_SITE, wanted)


def show(rows: Rows, wanted: Collection[str]) -> None:
    """Print the wanted ones of these rows."""
    for name in rows:
        if name in wanted:
            for line in rows[name]():
                print(line, flush=True)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "meeting_server.settings")
    os.environ.setdefault("MEETINGS_RATE", "1000000/min")
    django.setup()
    main()
