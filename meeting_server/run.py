"""``make run``: prepares the database, then runs the web server and the mail loop together.

When one of the two ends, or this is stopped, both end.
"""

import errno
import os
import shlex
import socket
import sys

from honcho import manager

# Seconds for the other one to end: it finishes open requests (gunicorn.conf.py) or a mail.
manager.KILL_WAIT = 40
PROCESSES = {
    "web": ["-m", "gunicorn", "meeting_server.wsgi"],
    "mail": ["manage.py", "deliver_mail"],
}
STOPPED = {130, 143}  # honcho's codes for Ctrl-C and SIGTERM


def main() -> None:
    """Run both. The exit code is that of the one that ended by itself, or 0 if this was stopped."""
    port = os.environ.get("PORT") or "8000"
    refuse_port_in_use(port)
    prepare()
    print(*summary(port), sep="\n", flush=True)  # noqa: T201
    both = manager.Manager()
    for name, command in PROCESSES.items():
        both.add_process(name, f"exec {shlex.join([sys.executable, *command])}")
    both.loop()
    sys.exit(0 if both.returncode in STOPPED else both.returncode or 1)


def refuse_port_in_use(port: str) -> None:
    """End before a database is created. gunicorn itself would report it in eleven lines."""
    with socket.socket() as probe:
        # As gunicorn does, so that connections of a server that has just ended do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", int(port)))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                another = f"make run PORT={int(port) + 1}"
                sys.exit(
                    f"Port {port} is in use; stop the program that uses it, or run `{another}`."
                )
            sys.exit(f"The server cannot listen on port {port}: {error.strerror}.")
        except (ValueError, OverflowError):
            sys.exit(f"PORT is {port!r}, which is not the number of a port.")


def prepare() -> None:
    """Migrate in this process, which then keeps the embedded database running."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "meeting_server.settings")
    from meeting_server.command_line import CommandLine  # noqa: PLC0415 (it needs the settings)

    for command in ["migrate"], ["collectstatic", "--no-input"]:
        CommandLine(["manage.py", *command, "--verbosity", "0"]).execute()


def summary(port: str) -> list[str]:
    """What runs where, and how to stop it."""
    from django.conf import settings  # noqa: PLC0415 (they are read after the port was looked at)

    from meeting_server.shell import manage  # noqa: PLC0415

    embedded = f"{settings.VAR_DIR}/postgres (embedded PostgreSQL)"
    files = (
        f"NOT SENT: each mail becomes a file in {settings.VAR_DIR}/mail,"
        " until EMAIL_URL names a mail server"
    )
    return [
        f"Server    http://127.0.0.1:{port}/meeting_server/",
        f"Admin     http://127.0.0.1:{port}/admin/",
        f"Account   for the admin: {manage('createsuperuser')}",
        f"Database  {'as DATABASE_URL says' if settings.DATABASE_URL else embedded}",
        f"Mail      {'sent as EMAIL_URL says' if settings.EMAIL_URL else files}",
        "Stop      Ctrl-C",
    ]


if __name__ == "__main__":
    main()
