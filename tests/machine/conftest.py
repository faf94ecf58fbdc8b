"""A machine that a test steps by hand."""

from collections.abc import Iterator

import pytest

from tests.machine.machine import Machine
from tests.machine.run import machines


@pytest.fixture
def stepped(transactional_db: None) -> Iterator[Machine]:
    """It has sent nothing yet. Its last check is the test's."""
    with machines() as make:
        made = make()
        yield made
        made.world.reset()
