"""How machines are run: with two processes, settings of their own, and so many steps."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from django.test import override_settings
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from meetings.operations.steps.sending import sender
from tests.machine.machine import Machine
from tests.machine.stage import Process

STEPS = 40  # of one sequence
_HOURS = 36_000.0  # in seconds: no wait ends by itself
_SETTINGS = {
    "EMAIL_BACKEND": "tests.machine.mail_server.Backend",
    "MEETINGS_BACK_OFF": [_HOURS],
    "MEETINGS_JITTER": 0.0,
    "MEETINGS_LEASE": _HOURS,
    "MEETINGS_SMTP_CONNECTIONS": 0,  # a program sends in its own thread, which is stepped
    "MEETINGS_SMTP_DEADLINE": _HOURS,
    "MEETINGS_SMTP_RECIPIENTS": 2,
    "MEETINGS_WAKE": "",
}


def run(sequences: int, number: int | None = None, *, shrinks: bool = True) -> Counter[str]:
    """Run so many sequences, and count what happened.

    Without a seed ``number`` they are always the same. ``shrinks``: look for the shortest sequence
    that fails, which takes minutes.
    """
    options = settings(
        max_examples=sequences,
        stateful_step_count=STEPS,
        derandomize=number is None,
        database=None,
        deadline=None,
        phases=[Phase.generate, *([Phase.shrink] if shrinks else [])],
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    with machines() as machine:
        seeded = machine if number is None else seed(number)(machine)
        run_state_machine_as_test(seeded, settings=options)
        return machine.tally


@contextmanager
def machines() -> Iterator[type[Machine]]:
    """The class of machines with two processes, whose hearts do not beat.

    So no time passes but by a step.
    """
    processes = tuple(Process(programs=2) for _ in range(2))
    heart, sender._heart = sender._heart, threading.main_thread()
    try:
        with override_settings(**_SETTINGS):
            yield type("Machine", (Machine,), {"processes": processes, "tally": Counter()})
    finally:
        sender._heart = heart
        sender.forget_lease()
        for process in processes:
            process.end()
