import errno
import os
import subprocess
import sys

import pytest

from keras_asymbp.benchmarks import guard
from keras_asymbp.benchmarks.errors import UsageError

BEGIN = """
import os, signal, sys
sys.argv = ["keras-asymbp"]
signal.signal(signal.SIGINT, signal.default_int_handler)
from keras_asymbp.benchmarks import guard
press = lambda: os.kill(os.getpid(), signal.SIGINT)
"""


@pytest.fixture(scope="module")
def run():
    """Runs code in a guarded process; returns its exit code, output and errors."""

    def run(code, stdout=subprocess.PIPE, **environment):
        environment = {"PYTHONPATH": os.pathsep.join(sys.path)} | environment
        done = subprocess.run(
            [sys.executable, "-c", BEGIN + code],
            env={**os.environ, **environment},
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    return run


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (UsageError("a\nb"), "error: a b"),
        (PermissionError(13, "Permission denied", "a\nb"), "'a b' (Permission denied)"),
        (FileNotFoundError(2, "No such file", b"a"), "'a' (No such file)"),
        (OSError(errno.ENOSPC, "No space left"), "write (No space left)"),
        (ModuleNotFoundError(name="rich"), "pip install 'keras-asymbp[benchmarks]'"),
        (ModuleNotFoundError(name="jax.numpy"), "pip install 'keras-asymbp[jax]'"),
        (ImportError("cannot import name 'a'"), "cannot import name 'a'"),
        (MemoryError(), "out of memory"),
    ],
)
def test_an_error_from_outside_is_one_line(error, words, capsys):
    def work():
        raise error

    with pytest.raises(SystemExit) as caught:
        guard.run(work)
    assert caught.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert words in line


def test_each_argument_of_an_error_is_a_line(capsys):
    guard.print_error(UsageError("a\nb", "c"))
    assert capsys.readouterr().err == "error: a b\nerror: c\n"


def test_an_error_of_the_program_has_its_traceback(capsys):
    with pytest.raises(SystemExit) as caught:
        guard.run(lambda: 1 // 0)
    assert caught.value.code == 1
    assert "ZeroDivisionError" in capsys.readouterr().err


@pytest.mark.parametrize("code", [None, 0, 3])
def test_the_exit_code_is_that_of_the_work(code):
    with pytest.raises(SystemExit) as caught:
        guard.run(lambda: code)
    assert caught.value.code == (code or 0)


def test_output_that_fails_ends_no_work(monkeypatch, capsys):
    done = []
    with open("/dev/full", "w") as full:
        stream = guard.output(sys.stdout, full.fileno())
        monkeypatch.setattr(sys, "stdout", stream)

        def work():
            print("▲", flush=True)
            print("more" * 10_000)
            done.append(True)

        with pytest.raises(SystemExit) as caught:
            guard.run(lambda: guard.run(work))  # a subcommand of the program
    assert done
    assert caught.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: can't write the output (No space left")


def test_a_closed_pipe_is_no_error(run):
    reading, writing = os.pipe()
    os.close(reading)
    code, _, stderr = run(
        "guard.run(lambda: print('x' * 100_000) or print('done', file=sys.stderr))",
        stdout=writing,
    )
    os.close(writing)
    assert (code, stderr) == (141, "done\n")


def test_letters_that_the_output_lacks_are_escaped(run):
    code, stdout, stderr = run(
        "guard.run(lambda: print('▲日\\udcff') or print('é', file=sys.stderr))",
        PYTHONIOENCODING="ascii",
    )
    assert (code, stdout, stderr) == (0, "\\u25b2\\u65e5\\udcff\n", "\\xe9\n")


def test_closed_streams_are_no_error(run):
    code, stdout, stderr = run(
        "import subprocess\n"
        "done = subprocess.run([sys.executable, '-m', 'keras_asymbp', 'reprot'],\n"
        "    preexec_fn=lambda: os.closerange(0, 3))\n"
        "print(done.returncode)\n"
    )
    assert (code, stdout, stderr) == (0, "2\n", "")


@pytest.mark.parametrize(
    "code",
    [
        "press()",  # before there is work
        "guard.run(press, 'stopped')",
        "guard.run(lambda: exec('press()'), 'stopped')",
        # Libraries may make another error of it, or lose it.
        "def work():\n"
        "    try: press()\n"
        "    except BaseException: raise ImportError('broken')\n"
        "guard.run(work)",
        "def work():\n"
        "    try: press()\n"
        "    except BaseException: pass\n"
        "guard.run(work)",
        "class Lost:\n"
        "    def __del__(self): press()\n"
        "guard.run(lambda: [Lost()] and 0)",
        # While errors go to a log.
        "import contextlib, io\n"
        "class Lost:\n"
        "    def __del__(self): press()\n"
        "def work():\n"
        "    with contextlib.redirect_stderr(io.StringIO()): Lost()\n"
        "guard.run(work)",
        # A second one, in what ends the work.
        "def work():\n    try: press()\n    finally: press()\nguard.run(work)",
    ],
)
def test_ctrl_c_is_one_line(code, run):
    assert run(code) == (130, "", "stopped\n")


def test_an_error_of_an_import_is_one_line(run):
    code, _, stderr = run("import no_such_package")
    assert code == 2
    assert stderr.startswith("error: no_such_package is not installed")


@pytest.mark.parametrize(("level", "kept"), [("2", ""), ("0", "native\n")])
def test_lines_of_native_code_are_dropped(level, kept, run):
    code = "os.write(2, b'native\\n'); guard.run(lambda: print('a', file=sys.stderr))"
    assert run(code, TF_CPP_MIN_LOG_LEVEL=level) == (0, "", kept + "a\n")


def test_it_writes_to_a_file(tmp_path):
    with open(tmp_path / "other", "w") as other:
        guard.write_to(tmp_path / "log", other.fileno())
        other.write("text")
    assert (tmp_path / "log").read_text() == "text"


def test_no_interrupt_was_seen():
    assert not guard.interrupted()
