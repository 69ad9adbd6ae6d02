import io
import sys

import pytest

from benchmarks.speed import peer
from benchmarks.speed.measure import Taken
from benchmarks.speed.peer import Peer
from keras_asymbp.benchmarks.errors import UsageError


def test_the_peer_runs_a_round_for_a_line():
    command = ["sh", "-c", 'while read line; do echo "[2.0, $SECONDS_]"; done']
    with Peer("it", command, 4, {"SECONDS_": "3.0"}) as contestant:
        assert contestant() == Taken(0.5, 0.75, elsewhere=3.0)
        assert contestant() == Taken(0.5, 0.75, elsewhere=3.0)


def test_a_peer_that_ends_is_said():
    with (
        Peer("the sloth", ["sh", "-c", "read line; exit 1"], 4) as contestant,
        pytest.raises(UsageError, match="the process of the sloth has ended"),
    ):
        contestant()


def test_a_round_for_each_line(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.StringIO("round\nround\n"))
    times = iter([(1.5, 2.0), (0.5, 0.25)])
    peer.serve(lambda: next(times))
    assert capsys.readouterr().out == "[1.5, 2.0]\n[0.5, 0.25]\n"
