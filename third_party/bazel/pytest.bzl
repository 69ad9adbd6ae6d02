"""A `py_test` whose files are pytest's."""

_RUNNER = "//third_party/bazel:run_pytest.py"

def pytest_test(name, srcs, deps = [], data = [], **kwargs):
    """Runs the quick tests of `srcs` with pytest, under the repository's settings.

    Args:
        name: Name of the target.
        srcs: The files of tests.
        deps: The `py_library` targets that they import.
        data: The files that they read.
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
