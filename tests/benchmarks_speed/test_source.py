import datetime
import sys

from benchmarks import source
from keras_asymbp.benchmarks import environment


def test_command_date_and_fields_stand_before_the_environment(monkeypatch):
    monkeypatch.setattr(sys, "orig_argv", ["/venv/python3", "-m", "a", "--x=b c"])
    found = source.describe(device="cpu")
    assert list(found) == ["command", "date", "device", *environment.describe()]
    assert (found["command"], found["device"]) == ("python -m a '--x=b c'", "cpu")
    age = datetime.datetime.now(datetime.UTC) - datetime.datetime.fromisoformat(
        found["date"]
    )
    assert abs(age.total_seconds()) < 60
