"""Postfix, the mail server of many, before a scripted one: it shows how a real server sets limits.

    with running_postfix(next_hop, smtpd_recipient_limit="10") as postfix:
        ...  # send to postfix.host, postfix.port; next_hop receives what Postfix accepted

The programs are those of Debian's package postfix. This instance has its own configuration, queue
and log in a folder of its own, listens on one port of loopback only, hands all mail to ``next_hop``
and has nothing to do with the service that the package may have set up.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil  # type: ignore[import-untyped]

from tests.support.servers.ports import free_port
from tests.support.servers.processes import lives
from tests.support.servers.smtp_server import ScriptedSMTP
from tests.support.waiting import wait_until

ABSENT = "NO POSTFIX, or not root, as whom it must be started. On Debian: apt-get install postfix"
_MASTER = Path("/usr/lib/postfix/sbin/master")
_ACCOUNT, _GROUP = "postfix", "postdrop"  # the package makes both
# Postfix waits for the disk at each mail, and what it writes here need not outlive it.
_MEMORY = Path("/dev/shm")  # noqa: S108

# No map, no DNS, no local mailbox: what the client may send goes to the next hop or stays queued.
# By default the limits of clients do not hold for loopback. Here they do.
_MAIN = {
    "compatibility_level": "3.6",
    "queue_directory": "{folder}/queue",
    "data_directory": "{folder}/own",
    "maillog_file": "{folder}/log",
    "maillog_file_prefixes": "{folder}",
    "myhostname": "postfix.example.test",
    "mydestination": "",
    "alias_maps": "",
    "local_recipient_maps": "",
    "inet_interfaces": "127.0.0.1",
    "inet_protocols": "ipv4",
    "mynetworks": "127.0.0.0/8",
    "relayhost": "[{next_host}]:{next_port}",
    "smtpd_peername_lookup": "no",
    "smtp_host_lookup": "native",
    "smtpd_client_event_limit_exceptions": "",
    # What the next hop defers is tried again at once.
    "queue_run_delay": "1s",
    "minimal_backoff_time": "1s",
    "maximal_backoff_time": "1s",
    # Postfix slows clients down that send faster than it delivers. Tests are always so fast.
    "in_flow_delay": "0",
}
# Name, type, private, unprivileged, chroot, wake-up, most processes, program.
_SERVICES = """\
{host}:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
flush unix n - n 1000? 0 flush
smtp unix - - n - - smtp
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""
# Ends the process group when the tests end, however they do, and when the command does. A signal at
# a parent's death does not: Postfix changes its account, and Linux forgets the signal then.
_UNTIL_END_OF_INPUT = ("sh", "-c", '("$0" "$@"; kill -KILL 0) & read -r _; kill -KILL 0')
_QUEUES = ("incoming", "active", "deferred")


def can_run() -> bool:
    """Whether the package is there, and we are root: Postfix takes other accounts itself."""
    return _MASTER.exists() and os.geteuid() == 0


@contextmanager
def running_postfix(next_hop: ScriptedSMTP, **parameters: str) -> Iterator["Postfix"]:
    """Postfix with these ``parameters`` of main.cf besides ours, see postconf(5)."""
    place = _MEMORY if _MEMORY.is_dir() else None
    with TemporaryDirectory(prefix="meeting-server-", dir=place) as name:
        postfix = Postfix(Path(name), free_port())
        _write_files(postfix, next_hop, parameters)
        group = subprocess.Popen(
            [*_UNTIL_END_OF_INPUT, _MASTER, "-d", "-c", postfix.folder],
            process_group=0,
            stdin=subprocess.PIPE,
        )
        try:
            # To connect and see would count against the limits.
            wait_until(lambda: group.poll() is not None or postfix.has_started, "Postfix")
            assert group.poll() is None, f"Postfix ended: {postfix.said()}"
            yield postfix
        finally:
            group.communicate()
            wait_until(lambda: not any(_members(group.pid)), "the end of Postfix's processes")


@dataclass(frozen=True, slots=True)
class Postfix:
    """The instance that runs in ``folder``."""

    folder: Path
    port: int
    host: str = ScriptedSMTP.host

    @property
    def has_started(self) -> bool:
        """Whether it listens."""
        return "daemon started" in self.said()

    @property
    def has_mail(self) -> bool:
        """Whether it has mail that it has not handed on."""
        # A mail that is tried again goes back from the last of them.
        queues = [self.folder / "queue" / name for name in (_QUEUES[-1], *_QUEUES)]
        return any(file.is_file() for queue in queues for file in queue.rglob("*"))

    def wait_until_empty(self) -> None:
        """Until the next hop has all the mail that Postfix accepted."""
        wait_until(lambda: not self.has_mail, "an empty queue of Postfix")

    def said(self) -> str:
        """What it has logged so far."""
        with suppress(FileNotFoundError):
            return (self.folder / "log").read_text(errors="replace")
        return ""


def _write_files(postfix: Postfix, next_hop: ScriptedSMTP, parameters: dict[str, str]) -> None:
    values = {"folder": postfix.folder, "next_host": next_hop.host, "next_port": next_hop.port}
    main = {name: text.format(**values) for name, text in _MAIN.items()} | parameters
    lines = "".join(f"{name} = {value}\n" for name, value in main.items())
    (postfix.folder / "main.cf").write_text(lines)
    services = _SERVICES.format(host=postfix.host, port=postfix.port)
    (postfix.folder / "master.cf").write_text(services)
    _make_folders(postfix.folder)


def _make_folders(folder: Path) -> None:
    """With the owners that Postfix asks for. Its account must be able to enter all of them."""
    folder.chmod(0o755)
    queue = folder / "queue"
    for path in (queue, queue / "pid"):
        path.mkdir()
    names = (*_QUEUES, "bounce", "defer", "trace", "flush", "hold", "corrupt", "saved", "private")
    for path in (folder / "own", *(queue / name for name in names)):
        path.mkdir(mode=0o700)
        shutil.chown(path, _ACCOUNT)
    (queue / "public").mkdir(mode=0o710)
    shutil.chown(queue / "public", _ACCOUNT, _GROUP)


def _members(group: int) -> Iterator[int]:
    """The living processes of a process group."""
    for pid in psutil.pids():
        with suppress(ProcessLookupError):
            if os.getpgid(pid) == group and lives(pid):
                yield pid
