"""The external repositories of this workspace, none of which is downloaded.

Bazel's own tools load `rules_cc`, `rules_java` and `remote_coverage_tools`, and would
download them for every build, even of Python files alone. Nothing in them is used here,
so a stub replaces each.
"""

_NATIVE_CC_RULES = [
    "cc_binary",
    "cc_library",
    "cc_proto_library",
    "cc_test",
    "cc_toolchain",
    "cc_toolchain_suite",
    "objc_library",
]

_NATIVE_JAVA_RULES = [
    "java_binary",
    "java_import",
    "java_library",
    "java_proto_library",
    "java_runtime",
    "java_toolchain",
]

_COVERAGE_TARGETS = ["coverage_report_generator", "lcov_merger"]

_PYTHON_BUILD = """\
load("@bazel_tools//tools/python:toolchain.bzl", "py_runtime_pair")

py_runtime(
    name = "runtime",
    interpreter_path = "{interpreter}",
    python_version = "PY3",
)

py_runtime_pair(
    name = "runtime_pair",
    py3_runtime = ":runtime",
)

toolchain(
    name = "toolchain",
    toolchain = ":runtime_pair",
    toolchain_type = "@bazel_tools//tools/python:toolchain_type",
)
"""

def _stub_repository_impl(repository_ctx):
    for path, content in repository_ctx.attr.files.items():
        repository_ctx.file(path, content, executable = False)

_stub_repository = repository_rule(
    implementation = _stub_repository_impl,
    attrs = {"files": attr.string_dict(doc = "The content of each file, by its path.")},
)

def _reexported(rules):
    return "".join(["{rule} = native.{rule}\n".format(rule = rule) for rule in rules])

def offline_stubs():
    """Declares an empty stand-in for each repository that Bazel would download."""
    _stub_repository(
        name = "rules_cc",
        files = {"cc/BUILD": "", "cc/defs.bzl": _reexported(_NATIVE_CC_RULES)},
    )
    _stub_repository(
        name = "rules_java",
        files = {"java/BUILD": "", "java/defs.bzl": _reexported(_NATIVE_JAVA_RULES)},
    )
    _stub_repository(
        name = "remote_coverage_tools",
        files = {"BUILD": "".join([
            'filegroup(name = "%s", visibility = ["//visibility:public"])\n' % target
            for target in _COVERAGE_TARGETS
        ])},
    )

def _interpreter(repository_ctx):
    named = repository_ctx.os.environ.get("PYTHON_BIN_PATH")
    if named:
        return repository_ctx.path(named)
    made_by_make = repository_ctx.path(Label("//:WORKSPACE")).dirname.get_child(".venv").get_child("bin").get_child("python")
    return made_by_make if made_by_make.exists else repository_ctx.which("python3")

def _python_repository_impl(repository_ctx):
    interpreter = _interpreter(repository_ctx)
    if not interpreter or not interpreter.exists:
        fail("No Python at %s. Set PYTHON_BIN_PATH to one with the packages of setup.py." % interpreter)
    repository_ctx.file("BUILD", _PYTHON_BUILD.format(interpreter = interpreter), executable = False)

python_repository = repository_rule(
    implementation = _python_repository_impl,
    doc = "The Python toolchain: PYTHON_BIN_PATH, or else .venv/bin/python, or else python3.",
    environ = ["PYTHON_BIN_PATH"],
    # Evaluated whenever Bazel starts, because .venv may have been made since.
    local = True,
)
