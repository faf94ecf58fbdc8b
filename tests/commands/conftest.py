"""Commands, run in this process as ``manage.py`` runs them."""

import signal
from collections.abc import Callable, Iterator

import pytest
from django.core.management import call_command

Run = Callable[..., list[str]]


@pytest.fixture
def run(db: None, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command; the lines on its standard output."""

    def lines(*arguments: str) -> list[str]:
        capsys.readouterr()
        call_command(*arguments)
        return capsys.readouterr().out.splitlines()

    return lines


@pytest.fixture
def own_signals() -> Iterator[None]:
    """Restore the handlers of signals, which the command replaces."""
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)
