"""How a manage.py command is printed, so that a person can paste it into a shell."""

import os
import shlex
import sys

from django.conf import settings


def manage(command: str) -> str:
    """``.venv/bin/python manage.py COMMAND``, preceded by the variables that are not the default.

    Without them the command would work on another database than the one it is printed for.
    """
    words = [*_variables(), shlex.quote(_python()), "manage.py", command]
    return " ".join(words)


def _variables() -> list[str]:
    variables = []
    if settings.VAR_DIR != settings.BASE_DIR / "var":
        variables.append(f"VAR_DIR={shlex.quote(str(settings.VAR_DIR))}")
    if settings.DATABASE_URL:
        variables.append(f"DATABASE_URL={_without_password(settings.DATABASE_URL)}")
    return variables


def _without_password(url: str) -> str:
    # Passwords with unquoted "@", "#" or "/" are common, so the URL is not parsed. What might be
    # a password stays in the variable. With ":?" a shell that lacks the variable refuses to run
    # the command, where an empty value would mean the embedded database.
    account, _, _ = url.partition("://")[2].rpartition("@")
    if ":" in account or "password" in url.casefold():
        return '"${DATABASE_URL:?}"'
    return shlex.quote(url)


def _python() -> str:
    relative = os.path.relpath(sys.executable, settings.BASE_DIR)
    return sys.executable if relative.startswith("..") else relative
