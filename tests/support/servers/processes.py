"""Real processes of ours: started, read, signalled, and ended with the test."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Self

import psutil  # type: ignore[import-untyped]

from tests.support.waiting import PATIENCE, wait_until

PROJECT = Path(__file__).resolve().parents[3]


class Process:
    """One Python process. Its output is added to ``log``."""

    def __init__(self, log: Path, env: dict[str, str], *command: str) -> None:
        self.log = log
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, *command],
                cwd=PROJECT,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    @property
    def runs(self) -> bool:
        return self.process.poll() is None

    def said(self) -> str:
        """What it has written so far."""
        return self.log.read_text(errors="replace")

    def signal(self, number: int = signal.SIGTERM) -> None:
        self.process.send_signal(number)

    def wait(self) -> int:
        """Its exit code."""
        return self.process.wait(PATIENCE)

    def close(self) -> None:
        """Leave nothing of it behind: politely, since only then its coverage is counted."""
        self.process.terminate()
        try:
            self.wait()
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """Kill -9, its children too, as when a machine loses its power."""
        family = [*children(self.process.pid), self.process.pid]
        for pid in family:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()
        wait_until(lambda: not any(map(lives, family)), "the end of a killed process")


def run(env: dict[str, str], *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run one Python process to its end, which must be a success unless ``check`` is false."""
    return subprocess.run(
        [sys.executable, *command],
        cwd=PROJECT,
        env=env,
        check=check,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


def lives(pid: int) -> bool:
    """Whether the process runs. A zombie, which its parent has not collected yet, does not."""
    try:
        return bool(pid and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def children(pid: int, *, recursive: bool = True) -> list[int]:
    """The living processes that it has started, and those that they have."""
    try:
        found = psutil.Process(pid).children(recursive=recursive)
    except psutil.NoSuchProcess:
        return []
    return sorted(child.pid for child in found if lives(child.pid))


def command_of(pid: int) -> str:
    """Its command line, or nothing if it has ended."""
    try:
        return " ".join(psutil.Process(pid).cmdline())
    except psutil.NoSuchProcess:
        return ""


def pid_in(file: Path) -> int:
    """The living process that the first line of ``file`` names, or 0."""
    try:
        pid = int(file.read_text().split("\n")[0])
    except (FileNotFoundError, ValueError):  # it is written just now
        return 0
    return pid if lives(pid) else 0
