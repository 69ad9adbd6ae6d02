import os
import sys

import pytest

from keras_asymbp.benchmarks.run.log import Log


def write(text):
    os.write(2, f"{text} of C++\n".encode())
    print(f"{text} of Python", file=sys.stderr)


def test_it_takes_what_libraries_write(tmp_path, capfd):
    log = Log(tmp_path)
    write("before")
    with log.taking_errors():
        stream = sys.stderr
        write("inside")
    write("after")
    stream.write("kept\n")  # by TensorFlow's logger, beyond the task
    log.end()
    assert log.path.parent == tmp_path / "logs"
    assert log.path.read_text() == "inside of C++\ninside of Python\n"
    lines = ["before of C++", "before of Python", "after of C++", "after of Python"]
    assert sorted(capfd.readouterr().err.splitlines()) == sorted([*lines, "kept"])


def test_each_process_has_its_own(tmp_path):
    assert Log(tmp_path).path != Log(tmp_path).path


def test_an_empty_one_is_removed(tmp_path):
    log = Log(tmp_path)
    with log.taking_errors():
        assert log.path.exists()
    log.end()
    assert list(tmp_path.iterdir()) == []
    assert log.reference() == log.last_lines() == ""


def test_its_last_lines_are_printable(tmp_path):
    log = Log(tmp_path)
    with log.taking_errors():
        os.write(2, b"".join(b"%d \x1b[1m\xff\n" % n for n in range(30)))
    heading, *lines = log.last_lines().splitlines()
    assert heading == f"last lines of {log.path}:"
    assert len(lines) == 10
    assert lines[-1].startswith("  29 ")
    assert all(line.isprintable() for line in lines)


@pytest.mark.parametrize("folder", [None, "file"])
def test_without_a_folder_nothing_is_kept(folder, tmp_path):
    (tmp_path / "file").write_text("mine")
    log = Log(folder and tmp_path / folder)
    with log.taking_errors():
        write("lost")
    log.end()
    assert log.last_lines() == log.reference() == ""
