"""``make chaos``: kill what can be killed while four programs call, and count the mails.

    SEED=7 make chaos        # the same plan as the run that printed seed 7
    CHAOS=long make chaos    # five times as much

Exit code 1 when something was lost, told wrongly, out of order or sent twice without a reason.
"""

import os
import random
import sys

from tests.chaos.run import Outcome, Plan, run
from tests.support.servers import broker

TIMES = 5


def main() -> int:
    """Run and report."""
    seed = int(os.environ.get("SEED") or random.SystemRandom().randrange(1_000_000))
    plan = Plan(seed=seed, calls=2_100, seconds=225, with_broker=broker.is_there())
    if os.environ.get("CHAOS") == "long":
        plan = Plan(
            seed=seed,
            calls=plan.calls * TIMES,
            seconds=plan.seconds * TIMES,
            web_workers=plan.web_workers * TIMES,
            webs=plan.webs * TIMES,
            mails=plan.mails * TIMES,
            workers=plan.workers * TIMES,
            postgres=TIMES,
            purges=TIMES,
            with_broker=plan.with_broker,
        )
    say(f"seed {seed}{'' if plan.with_broker else '; NO RABBITMQ: mail loops only'}")
    outcome = run(plan)
    say(report(outcome))
    wrong = outcome.wrong
    if outcome.balance.calls < plan.calls:
        wrong.append(f"only {outcome.balance.calls} of {plan.calls} calls in {plan.seconds:g} s")
    for line in wrong:
        say(f"WRONG  {line}")
    if wrong and os.environ.get("LOGS"):
        say(outcome.said)
    return 1 if wrong else 0


def report(outcome: Outcome) -> str:
    """The figures, one a line."""
    count, blows = outcome.balance, outcome.blows
    duplicates = count.after_open_end + count.after_kill + len(count.unexplained)
    killed = sum(number for name, number in blows.items() if name not in ("postgres", "purge"))
    by_target = ", ".join(f"{number} × {name}" for name, number in sorted(blows.items()))
    lines = {
        "calls": f"{count.calls}, {count.cut_off} of them cut off",
        "kill -9": f"{killed} ({by_target})",
        "replies of the mail server": f"{outcome.replies}, {outcome.faulty:.0%} of them faulty",
        "mails taken": f"{count.mails}, one for each recipient",
        "promised": f"{count.promised} (of these {count.superseded} superseded,"
        f" {count.refused} refused for good)",
        "lost": str(len(count.lost)),
        "calls told 0": str(count.told_no),
        "told 0 but sent": f"{len(count.told_no_but_sent)}"
        f" (and {count.ambiguous} in the ambiguous window)",
        "older after newer": str(len(count.older_after_newer)),
        "recorded wrongly": str(len(count.misrecorded)),
        "duplicates": f"{duplicates}: {count.after_open_end} after an ambiguous end,"
        f" {count.after_kill} after a kill,"
        f" {len(count.unexplained)} without a reason",
        "seconds": f"{outcome.seconds:.0f}",
    }
    return "\n".join(f"{name:<28}{value}" for name, value in lines.items())


def say(text: str) -> None:
    """At once, also into a pipe."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
