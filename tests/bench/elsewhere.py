"""Parts of the bench in processes of their own, so that their work is not taken for the service's.

A module that is started here writes its port, and ends with its standard input.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import ParamSpec, TypeVar

from tests.support.servers.processes import PROJECT

P = ParamSpec("P")
T = TypeVar("T")


@contextmanager
def listening(module: str, *arguments: str) -> Iterator[int]:
    """Start the module. Its port on loopback."""
    command = [sys.executable, "-m", module, *arguments]
    with subprocess.Popen(
        command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        yield int(process.stdout.readline())
        process.stdin.close()


def elsewhere(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What the function returns in another process. It must be one of a module."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(function, *args, **kwargs).result()
