"""What is skipped on a developer's machine fails in continuous integration."""

from pathlib import Path

from tests.support.servers.environments import environment
from tests.support.servers.processes import PROJECT, Process

TESTS = {
    "test_mark.py": '@pytest.mark.skipif(True, reason="no clock")\ndef test_one(): pass\n',
    "test_call.py": 'def test_one(): pytest.skip("no broker")\n',
    "test_module.py": 'pytest.skip("no browser", allow_module_level=True)\n',
    "test_expected.py": "@pytest.mark.xfail\ndef test_one(): assert False\n",
}


def run_them(folder: Path, ci: str) -> tuple[int, str]:
    """The exit code and the output of pytest."""
    for name, test in TESTS.items():
        (folder / name).write_text(f"import pytest\n{test}")
    plugins = ["-p", "tests.support.skips", "-p", "no:cacheprovider", "-p", "no:django"]
    options = ["-c", "/dev/null", f"--rootdir={folder}", "--continue-on-collection-errors"]
    command = ("-m", "pytest", *options, *plugins, str(folder))
    env = environment(CI=ci, PYTHONPATH=str(PROJECT))
    with Process(folder / "log", env, *command) as process:
        return process.wait(), process.said()


def test_skip_in_ci_is_a_failure_with_its_reason(tmp_path: Path) -> None:
    code, output = run_them(tmp_path, "true")
    assert code != 0
    for reason in ("no clock", "no broker", "no browser"):
        assert f"in CI nothing may be skipped. Skipped: {reason}" in output
    assert "1 failed, 1 xfailed, 2 errors" in output


def test_skip_on_a_developers_machine_passes(tmp_path: Path) -> None:
    code, output = run_them(tmp_path, "")
    assert code == 0
    assert "3 skipped, 1 xfailed" in output
