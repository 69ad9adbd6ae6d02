import json
import types

import pytest

from benchmarks.speed.account import Account


@pytest.fixture
def clock():
    """A clock that stands still until it is told how much has passed."""
    now = types.SimpleNamespace(seconds=100.0)

    def passes(seconds):
        now.seconds += seconds

    return types.SimpleNamespace(now=lambda: now.seconds, passes=passes)


def test_a_second_belongs_to_the_innermost_part(clock):
    account = Account("rest", clock.now)
    module = types.SimpleNamespace()

    def inner():
        clock.passes(3)
        return "result"

    def outer():
        clock.passes(1)
        assert module.inner() == "result"
        clock.passes(0.5)

    module.inner, module.outer = inner, outer
    account.wrap("inside", module, "inner")
    account.wrap("outside", module, "outer")
    clock.passes(10)
    module.outer()
    clock.passes(20)
    assert account.close() == {"rest": 30, "outside": 1.5, "inside": 3}


def test_an_error_ends_its_part(clock):
    account = Account("rest", clock.now)

    def fails():
        clock.passes(2)
        raise RuntimeError

    with pytest.raises(RuntimeError):
        account("part", fails)()
    clock.passes(4)
    assert account.close() == {"rest": 4, "part": 2}


def test_a_part_inside_itself_is_counted_once(clock):
    account = Account("rest", clock.now)
    module = types.SimpleNamespace()

    def again(depth):
        clock.passes(1)
        if depth:
            module.again(depth - 1)

    module.again = again
    account.wrap("part", module, "again")
    module.again(2)
    assert account.close() == {"rest": 0, "part": 3}


def test_imports_are_a_part_of_the_command(run_program, tmp_path):
    file = tmp_path / "account.json"
    done = run_program("speed.account", "--version", ACCOUNT=str(file))
    assert done.stdout.startswith("keras-asymbp ")
    parts = json.loads(file.read_text(encoding="utf-8"))["parts"]
    # The version needs nothing but what is imported.
    assert max(parts, key=parts.get) == "imports"
