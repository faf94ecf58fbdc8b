"""``make run``: the web server and the mail loop together. When one of them ends, or this is stopped, both end."""

import shlex
import sys

from honcho import manager

# Seconds that the other one has when one has ended: calls being answered (gunicorn.conf.py), a mail being sent.
manager.KILL_WAIT = 40
PROCESSES = {
    "web": ["-m", "gunicorn", "meeting_server.wsgi"],
    "mail": ["manage.py", "deliver_mail"],
}
STOPPED = {130, 143}  # honcho's words for Ctrl-C and SIGTERM


def main() -> None:
    """Run both; the exit code is that of the one that ended by itself, 0 when this was stopped."""
    both = manager.Manager()
    for name, command in PROCESSES.items():
        both.add_process(name, f"exec {shlex.join([sys.executable, *command])}")
    both.loop()
    sys.exit(0 if both.returncode in STOPPED else both.returncode or 1)


if __name__ == "__main__":
    main()
