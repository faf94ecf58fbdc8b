"""Cyrus IMAP, a calendar server that others wrote: mail goes in by LMTP, HTTP shows calendars.

A Sieve script hands each mail to ``processimip``, which puts the invitation into its reader's
calendar before LMTP responds. The programs are those of Debian's package cyrus-caldav. They
run in a folder of their own, on Unix sockets there, and have nothing to do with the service that
the package may have set up.
"""

import base64
import http.client
import os
import pwd
import shutil
import signal
import smtplib
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

from tests.support.waiting import PATIENCE, wait_until

ABSENT = "NO CYRUS IMAP. On Debian: apt-get install cyrus-caldav"
_PROGRAMS = Path("/usr/lib/cyrus/bin")
_ACCOUNT = "cyrus"  # the package makes it; Cyrus does not run as root
# Cyrus waits for the disk all the time, and what it writes here need not outlive it.
_MEMORY = Path("/dev/shm")  # noqa: S108

# "alwaystrue" takes every password: only these tests know of the sockets.
_IMAPD = """\
configdirectory: {folder}/conf
defaultpartition: default
partition-default: {folder}/spool
sievedir: {folder}/sieve
cyrus_user: {user}
servername: localhost
virtdomains: userid
unixhierarchysep: yes
lmtpsocket: {folder}/lmtp
httpmodules: caldav
allowplaintext: yes
sasl_mech_list: PLAIN
sasl_pwcheck_method: alwaystrue
autocreate_quota: 0
autocreate_post: yes
autocreate_sieve_script: {folder}/script.sieve
syslog_prefix: meeting-server-tests
"""
_MASTER = """\
START {{
  recover cmd="{programs}/ctl_cyrusdb -C {folder}/imapd.conf -r"
}}
SERVICES {{
  lmtp cmd="{programs}/lmtpd -C {folder}/imapd.conf" listen="{folder}/lmtp"
  http cmd="{programs}/httpd -C {folder}/imapd.conf" listen="{folder}/http"
}}
EVENTS {{
}}
"""
# Not with :deletecanceled. In Cyrus 3.6 it makes the CANCEL of an occurrence remove the series.
_SCRIPT = """\
require ["vnd.cyrus.imip", "variables", "ereject"];
processimip :outcome "outcome" :errstr "why";
if not string "${why}" "" { ereject "${why}"; }
"""


def is_installed() -> bool:
    """Whether the package is there."""
    return (_PROGRAMS / "httpd").exists()


@contextmanager
def running_cyrus() -> Iterator["Cyrus"]:
    """A server without accounts."""
    place = _MEMORY if _MEMORY.is_dir() else None
    with TemporaryDirectory(prefix="meeting-server-", dir=place) as folder:
        server = Cyrus(Path(folder))
        _write_files(server.folder)
        master = subprocess.Popen([*_as_account(), *_master(server.folder)], process_group=0)
        try:
            wait_until(lambda: master.poll() is not None or server.listens, "Cyrus")
            assert master.poll() is None, (server.folder / "log").read_text()
            yield server
        finally:
            # Asked politely, Cyrus 3.6 goes on for ever if a connection was not accepted yet.
            os.killpg(master.pid, signal.SIGKILL)
            master.wait()


class Cyrus:
    """The server that runs in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def listens(self) -> bool:
        """Whether it accepts connections."""
        try:
            for name in ("lmtp", "http"):
                self._connected(name).close()
        except OSError:
            return False
        return True

    def open_account(self, address: str) -> None:
        """Make the account, with an empty calendar."""
        with self._lmtp() as lmtp:
            lmtp.ehlo()
            lmtp.mail("")
            code, reply = lmtp.rcpt(address)
            assert code == 250, reply
        # CalDAV makes the folder that processimip puts each message into, LMTP does not.
        self._ask("PROPFIND", address)

    def deliver(self, address: str, mail: bytes) -> str:
        """Deliver a mail. Returns why the calendar does not take it, or ""."""
        with self._lmtp() as lmtp:
            try:
                lmtp.sendmail("", address, mail)
            except smtplib.SMTPDataError as error:
                return str(error)
        return ""

    def calendar_of(self, address: str) -> str:
        """The whole calendar as one iCalendar object."""
        return self._ask("GET", address, "Default/")

    def _lmtp(self) -> smtplib.LMTP:
        return smtplib.LMTP(str(self.folder / "lmtp"), local_hostname="localhost", timeout=PATIENCE)

    def _connected(self, name: str) -> socket.socket:
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(PATIENCE)
        try:
            connection.connect(str(self.folder / name))
        except OSError:
            connection.close()
            raise
        return connection

    def _ask(self, method: str, address: str, path: str = "") -> str:
        login = base64.b64encode(f"{address}:any password".encode()).decode()
        connection = http.client.HTTPConnection("localhost")
        connection.sock = self._connected("http")
        with closing(connection):
            url = f"/dav/calendars/user/{quote(address)}/{path}"
            connection.request(method, url, headers={"Authorization": f"Basic {login}"})
            response = connection.getresponse()
            text = response.read().decode()
        assert response.status in (200, 207), f"{method} {url}: {response.status} {text}"
        return text


def _write_files(folder: Path) -> None:
    user = _ACCOUNT if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    values = {"folder": folder, "programs": _PROGRAMS, "user": user}
    (folder / "imapd.conf").write_text(_IMAPD.format(**values))
    (folder / "cyrus.conf").write_text(_MASTER.format(**values))
    (folder / "script.sieve").write_text(_SCRIPT)
    for name in ("conf/db", "conf/lock", "conf/socket", "spool", "sieve"):
        (folder / name).mkdir(parents=True)
    if os.geteuid() == 0:
        for path in (folder, *folder.rglob("*")):
            shutil.chown(path, _ACCOUNT)


def _master(folder: Path) -> list[str]:
    files = {"-C": "imapd.conf", "-M": "cyrus.conf", "-p": "pid", "-L": "log"}
    options = [text for key, name in files.items() for text in (key, str(folder / name))]
    return [str(_PROGRAMS / "master"), *options]


def _as_account() -> list[str]:
    """What comes before a command that root must not run. It also ends Cyrus with its parent."""
    command = ["setpriv", "--pdeathsig", "KILL"]
    if os.geteuid() == 0:
        account = pwd.getpwnam(_ACCOUNT)
        command += [f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"]
    return command
