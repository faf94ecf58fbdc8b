"""Whatever is asked for, refused, lost or killed, everyone ends up knowing the truth."""

import pytest

from tests.machine.run import run


@pytest.mark.django_db(transaction=True)
def test_everyone_ends_up_knowing_the_truth() -> None:
    run(sequences=25)
