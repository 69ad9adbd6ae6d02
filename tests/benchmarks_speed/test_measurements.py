import datetime
import sys

import pytest

from benchmarks import measurements
from keras_asymbp.benchmarks import environment
from keras_asymbp.benchmarks.errors import UsageError


def test_command_date_and_fields_stand_before_the_environment(monkeypatch):
    monkeypatch.setattr(sys, "orig_argv", ["/venv/python3", "-m", "a", "--x=b c"])
    found = measurements.describe(device="cpu")
    assert list(found) == ["command", "date", "device", *environment.describe()]
    assert (found["command"], found["device"]) == ("python -m a '--x=b c'", "cpu")
    age = datetime.datetime.now(datetime.UTC) - datetime.datetime.fromisoformat(
        found["date"]
    )
    assert abs(age.total_seconds()) < 60


def test_a_written_file_is_read(tmp_path):
    record = {"command": "python -m a", "rows": [{"figure": 1.5}]}
    measurements.write(record, tmp_path / "figures.json")
    assert measurements.read(tmp_path / "figures.json") == record


def test_a_place_that_cannot_be_written_is_said_in_one_line(tmp_path):
    with pytest.raises(UsageError, match=r"can't write .*: No such file") as error:
        measurements.write({"rows": []}, tmp_path / "missing" / "figures.json")
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize("text", [None, "{", "[]", '{"medians": []}'])
def test_another_file_is_refused_in_one_line(text, tmp_path):
    file = tmp_path / "other.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(UsageError, match=r"other\.json") as error:
        measurements.read(file)
    assert len(str(error.value).splitlines()) == 1
