"""A variable that is to be a number has one that can work, or no process starts."""

import pytest

from tests.support.servers.environments import environment, on_test_database
from tests.support.servers.ports import free_port
from tests.support.servers.processes import run
from tests.support.servers.smtp_server import ScriptedSMTP


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


@pytest.mark.parametrize(
    "command",
    [
        ("manage.py", "migrate"),
        ("manage.py", "deliver_mail"),
        ("-m", "gunicorn", "meeting_server.wsgi"),
        ("-m", "celery", "-A", "meeting_server", "worker"),
    ],
    ids=["migrate", "deliver_mail", "gunicorn", "celery"],
)
def test_no_process_starts_with_a_number_that_cannot_work(
    transactional_db: None, mail_server: ScriptedSMTP, command: tuple[str, ...]
) -> None:
    env = on_test_database(
        mail_server,
        MEETINGS_SMTP_DEADLINE="0",
        CELERY_BROKER_URL="memory://",
        PORT=str(free_port()),
        WEB_CONCURRENCY="1",
    )
    result = run(env, *command, check=False)
    assert result.returncode != 0
    assert "MEETINGS_SMTP_DEADLINE is 0. " in result.stderr
    assert "Set it to 1 at least" in result.stderr
    assert "Traceback" not in result.stderr
