"""A `py_test` that runs pytest."""

_RUNNER = "//third_party/bazel:run_pytest.py"

def pytest_test(name, srcs, deps = [], data = [], **kwargs):
    """Runs the fast tests in `srcs` with pytest, with the settings of pyproject.toml.

    Args:
        name: Name of the target.
        srcs: The test files.
        deps: The `py_library` targets that the tests import.
        data: The files that the tests read.
        **kwargs: Passed on to `py_test`.
    """

    # A busy machine takes several times as long as an idle one.
    kwargs.setdefault("timeout", "long")
    native.py_test(
        name = name,
        srcs = srcs + [_RUNNER],
        args = ["$(locations %s)" % src for src in srcs],
        data = data + ["//:pyproject.toml"],
        main = _RUNNER,
        deps = deps + ["//tests:conftest"],
        **kwargs
    )
