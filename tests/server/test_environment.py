"""A variable that is to be a number has one, or no process starts."""

import pytest

from tests.support.servers.environments import environment
from tests.support.servers.processes import run


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("MEETINGS_LEASE", "30s", "a number"),
        ("MEETINGS_TIME_BUDGET", "ten", "a number"),
        ("MEETINGS_SMTP_RECIPIENTS", "1e3", "an integer"),
        ("MEETINGS_BACK_OFF", "30,2m", "a list of numbers"),
    ],
)
def test_text_that_is_no_number_is_refused(name: str, value: str, wanted: str) -> None:
    result = run(environment(**{name: value}), "manage.py", "check", check=False)
    assert result.returncode == 1
    sentence = result.stderr.splitlines()[-1]
    assert sentence.endswith(f"ImproperlyConfigured: {name} is '{value}', which is not {wanted}.")


@pytest.mark.parametrize("value", ["1e3", "inf", "nan", "-5", "0"])
def test_number_that_cannot_work_is_refused_by_check(value: str) -> None:
    environ = environment(MEETINGS_SMTP_DEADLINE="20", MEETINGS_JITTER=value)
    result = run(environ, "manage.py", "check", check=False)
    assert ("meetings.E013" in result.stderr) == (value != "0")


def test_list_without_numbers_is_refused_by_check() -> None:
    result = run(environment(MEETINGS_BACK_OFF=","), "manage.py", "check", check=False)
    assert "MEETINGS_BACK_OFF has no numbers." in result.stderr


def test_empty_variable_counts_as_unset() -> None:
    run(environment(MEETINGS_LEASE="", MEETINGS_BACK_OFF=""), "manage.py", "check")
