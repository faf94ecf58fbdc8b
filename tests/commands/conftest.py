"""Commands, run in this process as ``manage.py`` runs them."""

from collections.abc import Callable

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
