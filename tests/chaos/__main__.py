"""``make chaos``: kill what can be killed while four programs call, and look at the calendars.

    SEED=7 make chaos        # the same plan as the run that printed seed 7
    CHAOS=long make chaos    # ten times as much: also slow and greylisting servers, and PgBouncer
    PHASE=slow CHAOS=long make chaos    # one phase of it

The long form then plays the scenes of ``tests.time`` with whole delays. Their phase is "time", and
each is also a phase by its name. It ends with the state machine (``tests.machine``), whose phase is
"machine". Exit code 1 when a calendar is wrong, a response was, a scene did not end as it must, or
a mail came twice without a reason; also when there is no such phase.
"""

import os
import random
import subprocess
import sys
import time
import traceback
from collections.abc import Mapping
from dataclasses import replace

from tests.chaos.mail import Manner
from tests.chaos.run import Outcome, Plan, run
from tests.support.servers import broker
from tests.time.scenes import SCENES
from tests.time.stage import open_stage

TIMES = 5
STEPS = 100_000  # of the state machine


def main() -> int:
    """Run each phase and report."""
    if not (phases(0) or scenes() or wants_machine()):
        say(f"no phase is called {os.environ['PHASE']}")
        return 1
    seed = int(os.environ.get("SEED") or random.SystemRandom().randrange(1_000_000))
    say(f"seed {seed}{'' if broker.is_there() else '; NO RABBITMQ: mail loops only'}")
    outcomes: dict[str, Outcome] = {}
    for name, plan in phases(seed).items():
        say(f"\n{name}")
        outcomes[name] = run(plan)
        say(report(outcomes[name]))
    if outcomes:
        say(f"\n{table(outcomes)}")
    for name, outcome in outcomes.items():
        for line in outcome.wrong:
            say(f"WRONG  {name}: {line}")
        if outcome.wrong and os.environ.get("LOGS"):
            say(outcome.said)
    is_wrong = [name for name, outcome in outcomes.items() if outcome.wrong]
    is_wrong += [name for name in scenes() if not play(name)]
    return 1 if machine(seed) or is_wrong else 0


def scenes() -> list[str]:
    """The names of those that are wanted."""
    wanted = os.environ.get("PHASE")
    if os.environ.get("CHAOS") != "long":
        return []
    return [name for name in SCENES if wanted in (None, "", "time", name)]


def play(name: str) -> bool:
    """Play one scene in an installation of its own. Return whether it ended as it must."""
    began = time.monotonic()
    wrong = ""
    with open_stage(divisor=1) as stage:
        try:
            SCENES[name](stage)
        except Exception:  # whatever it is, the other scenes are played too
            wrong = traceback.format_exc()
            said = stage.site.said()
    say(f"{name:<36}{time.monotonic() - began:.0f} seconds")
    if wrong:
        say(f"WRONG  {name}: {wrong}")
    if wrong and os.environ.get("LOGS"):
        say(said)
    return not wrong


def machine(seed: int) -> int:
    """Run the state machine where it is wanted, in a process of its own; return its exit code."""
    if not wants_machine():
        return 0
    say("\nmachine")
    command = ["-m", "tests.machine", "--steps", str(STEPS), "--seed", str(seed)]
    return subprocess.run([sys.executable, *command], check=False).returncode


def wants_machine() -> bool:
    """Whether the state machine is wanted."""
    return os.environ.get("CHAOS") == "long" and os.environ.get("PHASE") in (None, "", "machine")


def phases(seed: int) -> Mapping[str, Plan]:
    """The plans, by name: one, or all of the long form."""
    plan = Plan(seed=seed, calls=2_100, seconds=600, with_broker=broker.is_there())
    if os.environ.get("CHAOS") != "long":
        return {"faults": plan}
    more = replace(plan, calls=3_200, seconds=1_200)
    every = {
        "faults": replace(
            plan,
            calls=plan.calls * TIMES,
            seconds=plan.seconds * TIMES,
            web_workers=plan.web_workers * TIMES,
            webs=plan.webs * TIMES,
            mails=plan.mails * TIMES,
            workers=plan.workers * TIMES,
            postgres=TIMES,
            purges=TIMES,
        ),
        "slow": replace(more, manner=Manner(slow=5.0), last_reply=8.0),
        "greylisting": replace(more, manner=Manner(greylists=True)),
        "PgBouncer": replace(more, with_pgbouncer=True),
    }
    wanted = os.environ.get("PHASE")
    return {name: each for name, each in every.items() if wanted in (None, "", name)}


def report(outcome: Outcome) -> str:
    """The figures, one a line."""
    lines = figures(outcome) | {"killed": by_target(outcome)}
    return "\n".join(f"{name:<36}{value}" for name, value in lines.items())


def table(outcomes: Mapping[str, Outcome]) -> str:
    """The figures of all phases, as docs/reliability.md has them."""
    columns = {name: figures(outcome) for name, outcome in outcomes.items()}
    rows = [["", *columns], ["---"] * (len(columns) + 1)]
    for name in next(iter(columns.values())):
        rows.append([name, *(column[name] for column in columns.values())])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def figures(outcome: Outcome) -> dict[str, str]:
    """What was counted."""
    count = outcome.balance
    replies = f"{outcome.replies:,}, {outcome.faulty:.0%}"
    return {
        "calls": f"{count.calls:,}",
        "… cut off": f"{count.cut_off:,}",
        "kill -9": str(killed(outcome)),
        "replies of the mail server, faulty": replies,
        "mails taken, one a recipient": f"{count.mails:,}",
        "people": f"{count.people:,}",
        "… promised a mail": f"{count.promised:,}",
        "… given up, until an operator came": f"{count.given_up:,}",
        "lost": str(len(count.lost)),
        "calls that got `result` 0": str(count.told_no),
        "`result` 0 but sent": str(len(count.told_no_but_sent)),
        "older after newer": str(len(count.older_after_newer)),
        "recorded wrongly": str(len(count.misrecorded)),
        "duplicates after an unknown end": str(count.after_open_end),
        "duplicates after a kill": str(count.after_kill),
        "duplicates without a reason": str(len(count.unexplained)),
        "seconds": f"{outcome.seconds:.0f}",
    }


def killed(outcome: Outcome) -> int:
    """How many processes were ended by kill -9."""
    others = ("postgres", "purge")
    return sum(number for name, number in outcome.blows.items() if name not in others)


def by_target(outcome: Outcome) -> str:
    """What was struck, and how often."""
    return ", ".join(f"{number} × {name}" for name, number in sorted(outcome.blows.items()))


def say(text: str) -> None:
    """At once, also into a pipe."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
