import contextlib
import json
import os
import socket

import pytest

from keras_asymbp.benchmarks.datasets import foreign
from keras_asymbp.benchmarks.errors import UsageError


def test_what_is_there_is_read(tmp_path):
    path = tmp_path / "a"
    path.write_text("é\n", encoding="utf-8")
    assert foreign.read_bytes(path) == b"\xc3\xa9\n"
    assert foreign.read_text(path) == "é\n"
    (tmp_path / "link").symlink_to(path)
    assert foreign.read_text(tmp_path / "link") == "é\n"
    path.write_text(json.dumps({"a": [1]}))
    assert foreign.read_json(path) == {"a": [1]}


def make(kind, path):
    """Puts something at a path that is no regular file."""
    match kind:
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case "socket":
            # The address of a socket is short.
            with contextlib.chdir(path.parent), socket.socket(socket.AF_UNIX) as server:
                server.bind(path.name)
        case "device":
            path.symlink_to("/dev/zero")
        case "dangling link":
            path.symlink_to("gone")
        case "circular link":
            path.symlink_to(path.name)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("nothing", "No such file or directory"),
        ("folder", "it is a folder, not a file"),
        ("pipe", "it is a named pipe, not a file"),
        ("socket", "it is a socket, not a file"),
        ("device", "it is a device, not a file"),
        ("dangling link", "it is a link to gone, which is missing"),
        ("circular link", "Too many levels of symbolic links"),
    ],
)
@pytest.mark.parametrize("read", [foreign.read_bytes, foreign.read_text])
def test_what_is_no_file_is_refused(read, kind, words, tmp_path):
    make(kind, tmp_path / "a")
    with pytest.raises(UsageError) as error:
        read(tmp_path / "a", "mend it")
    assert str(error.value) == f"can't read {tmp_path}/a ({words}): mend it"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(5, "Input/output error"), "Input/output error"),
        (KeyError("splits"), "it has no 'splits'"),
        (MemoryError(), "it needs more memory than there is"),
        (RecursionError(), "RecursionError"),
        (ValueError("first\nsecond"), "first"),
        (ValueError("\n"), "ValueError"),
        (
            ValueError("a <_io.BytesIO object at 0x7f> is\x1b[31m red"),
            r"a is\x1b[31m red",
        ),
    ],
)
def test_whatever_a_reader_raises_becomes_one_line(error, words, tmp_path):
    with pytest.raises(UsageError) as caught, foreign.guarded(tmp_path):
        raise error
    assert str(caught.value) == f"can't read {tmp_path} ({words}): get it again"
    assert caught.value.__cause__ is error


def test_errors_of_its_own_and_interruptions_pass_the_guard():
    for error in (UsageError("mine"), KeyboardInterrupt()):
        with pytest.raises(type(error)) as caught, foreign.guarded("x"):
            raise error
        assert caught.value is error


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"caf\xc3\xa9", "café"),
        (b"caf\xe9", "café"),
        (b"\xef\xbb\xbfbom", "bom"),
        ("utf-16".encode("utf-16"), None),
        (b"\x1f\x8b\x08 an archive", None),
        (b"nul\0", None),
    ],
)
def test_text_is_utf_8_or_latin_1(content, text, tmp_path):
    (tmp_path / "a").write_bytes(content)
    if text:
        assert foreign.read_text(tmp_path / "a") == text
    else:
        with pytest.raises(UsageError, match="it is no text in UTF-8 or Latin-1"):
            foreign.read_text(tmp_path / "a")


@pytest.mark.parametrize("content", [b"", b"{", b"[" * 100_000, b"\xff", b"\0"])
def test_what_is_no_json(content, tmp_path):
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(UsageError, match=rf"^can't read {tmp_path}/a \([^\n]+\): get"):
        foreign.read_json(tmp_path / "a")


def test_a_file_larger_than_memory(tmp_path):
    with (tmp_path / "a").open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(UsageError, match=r"\(it has 1099511627776 bytes, more than"):
        foreign.read_bytes(tmp_path / "a")


def test_names_that_are_not_utf_8():
    name = os.fsdecode(b"caf\xe9\n")
    assert foreign.text_of(name) == "café\n"
    assert foreign.text_of("café") == "café"


def test_files_of_folders_and_links(tmp_path):
    for file in ("b/1", "b/c.png/2", ".x/3", "__MACOSX/4", "b/.5"):
        (tmp_path / "in" / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "in" / file).touch()
    (tmp_path / "in" / "a").symlink_to("b")
    found = [
        str(f.relative_to(tmp_path / "in")) for f in foreign.files(tmp_path / "in")
    ]
    assert found == ["a/1", "a/c.png/2", "b/1", "b/c.png/2"]
    with pytest.raises(UsageError, match=r"none \(No such file"):
        foreign.files(tmp_path / "none")


@pytest.mark.parametrize(
    "links", [{"b/up": ".."}, {"b/up": "../.."}, {"a/x": "../b", "b/y": "../a"}]
)
def test_a_link_back_into_itself(links, tmp_path):
    for folder in "ab":
        (tmp_path / "in" / folder).mkdir(parents=True)
    for link, target in links.items():
        (tmp_path / "in" / link).symlink_to(target)
    with pytest.raises(UsageError, match="it is a link to a folder it is in"):
        foreign.files(tmp_path / "in")
