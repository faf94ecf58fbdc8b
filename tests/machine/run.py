"""How a machine is run: with its processes, its settings, and so many steps."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.test import override_settings
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from meetings.operations.steps import sender
from tests.machine.machine import Machine
from tests.machine.stage import Process

STEPS = 40  # of one sequence
_HOURS = 36_000.0  # in seconds: no wait ends by itself
_SETTINGS = {
    "EMAIL_BACKEND": "tests.machine.mail_server.Backend",
    "MEETINGS_BACK_OFF": [_HOURS],
    "MEETINGS_JITTER": 0.0,
    "MEETINGS_LEASE": _HOURS,
    "MEETINGS_SMTP_DEADLINE": _HOURS,
    "MEETINGS_SMTP_RECIPIENTS": 2,
    "MEETINGS_WAKE": "",
}


def run(sequences: int, number: int | None = None, *, shrinks: bool = True) -> None:
    """Run so many sequences. Without a seed ``number`` they are always the same.

    ``shrinks``: look for the shortest sequence that fails, which takes minutes.
    """
    with _processes() as processes, override_settings(**_SETTINGS):
        machine = type("Machine", (Machine,), {"processes": processes})
        if number is not None:
            machine = seed(number)(machine)
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=sequences,
                stateful_step_count=STEPS,
                derandomize=number is None,
                database=None,
                phases=[Phase.generate, *([Phase.shrink] if shrinks else [])],
                report_multiple_bugs=False,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )


@contextmanager
def _processes() -> Iterator[tuple[Process, ...]]:
    """Two processes, whose hearts do not beat: no time passes but by a step."""
    processes = tuple(Process(name, programs=2) for name in ("A", "B"))
    heart, sender._heart = sender._heart, threading.main_thread()
    try:
        yield processes
    finally:
        sender._heart = heart
        sender.forget_lease()
        for process in processes:
            process.end()
