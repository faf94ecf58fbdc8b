"""Continuous integration has all that the tests need, so there a skipped test is a failed one."""

import os
from collections.abc import Generator
from typing import TypeVar

import pytest

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)
IN_CI = os.environ.get("CI", "").lower() in ("1", "on", "true", "yes")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Of one test."""
    return _without_skip((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Of a module that skips itself."""
    return _without_skip((yield))


def _without_skip(report: Report) -> Report:
    expected_to_fail = hasattr(report, "wasxfail")
    if IN_CI and report.skipped and not expected_to_fail:
        report.outcome = "failed"
        if isinstance(report.longrepr, tuple):
            file, line, reason = report.longrepr
            report.longrepr = f"{file}:{line}: in CI nothing may be skipped. {reason}"
    return report
