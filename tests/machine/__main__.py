"""The long form of the state machine: ``python -m tests.machine --steps 100000 --seed 7``.

Exit code 1 if somebody did not end up knowing the truth. The failing sequence is shortened first,
which takes some minutes; with ``--fast`` it is printed as it is.
"""

import argparse
import os
import random
import sys
import time
import traceback

import django


def main() -> int:
    """Run and report."""
    options = _options()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "meeting_server.settings")
    django.setup()

    # Models can be imported only now.
    from django.test.runner import DiscoverRunner  # noqa: PLC0415

    from tests.machine.run import STEPS, run  # noqa: PLC0415

    _say(f"seed {options.seed}, {options.steps} steps")
    began = time.monotonic()
    runner = DiscoverRunner(verbosity=0, interactive=False)
    databases = runner.setup_databases()
    try:
        tally = run(-(-options.steps // STEPS), options.seed, shrinks=not options.fast)
        _say("\n".join(f"{name:<36}{count}" for name, count in sorted(tally.items())))
    except Exception:  # whatever is wrong is to be shown
        _say(traceback.format_exc())
        return 1
    finally:
        runner.teardown_databases(databases)
        _say(f"{time.monotonic() - began:.0f} seconds")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.machine")
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1_000_000))
    parser.add_argument("--fast", action="store_true")
    return parser.parse_args()


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
