"""The scenes of ``make chaos``, with all delays and limits divided by twenty."""

from collections.abc import Iterator

import pytest

from tests.time.scenes import SCENES
from tests.time.stage import Stage, open_stage

DIVISOR = 20.0


@pytest.fixture(scope="module")
def stage() -> Iterator[Stage]:
    """One installation for all scenes."""
    with open_stage(DIVISOR) as made:
        yield made


@pytest.mark.parametrize("name", SCENES)
def test_slow_mail_comes_once_and_keeps_nobody(name: str, stage: Stage) -> None:
    SCENES[name](stage)
