"""Runs pytest inside a Bazel test: `run_pytest.py FILE...`, see `pytest.bzl`."""

import os
import sys

import pytest


def main(files: list[str]) -> int:
    """Runs the fast tests in `files`; returns the exit code for Bazel."""
    # Keras, matplotlib and others write to the home folder, which the sandbox shows
    # read-only.
    os.environ["HOME"] = os.environ["TEST_TMPDIR"]
    options = ["-m", "not slow", "-p", "no:cacheprovider"]
    if "XML_OUTPUT_FILE" in os.environ:
        options.append(f"--junitxml={os.environ['XML_OUTPUT_FILE']}")
    if "TESTBRIDGE_TEST_ONLY" in os.environ:  # bazel test --test_filter=...
        options.append(f"-k={os.environ['TESTBRIDGE_TEST_ONLY']}")
    code = pytest.main([*options, *files])
    all_are_slow = code == pytest.ExitCode.NO_TESTS_COLLECTED
    return 0 if all_are_slow else int(code)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
