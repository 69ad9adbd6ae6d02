import collections
import json
import pathlib

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pytest
import soundfile
import tensorflow_datasets as tfds

from keras_asymbp.benchmarks.datasets.builders import _speech, timit
from keras_asymbp.benchmarks.errors import UsageError

PROPERTY = hypothesis.settings(max_examples=50, deadline=None)
DUMMY_DATA = pathlib.Path(__file__).parent / "dummy_data" / "timit"

LABELS = [(0, 600, "h#"), (600, 1400, "iy"), (1400, 2400, "s")]
OTHERS = [(0, 600, "h#"), (600, 1400, "iy"), (1400, 2400, "aa")]
SENTENCES = {
    "TRAIN/DR1/FAAA0/SA1": [(0, 600, "h#"), (600, 2400, "zh")],
    "TRAIN/DR1/FAAA0/SI1": LABELS,
    "TRAIN/DR1/FAAA0/SX2": LABELS,
    "TRAIN/DR2/MBBB0/SX2": OTHERS,
    "TEST/DR1/FCCC0/SI3": LABELS,
    "TEST/DR1/MDDD0/SX4": OTHERS,
}


class TimitTest(tfds.testing.DatasetBuilderTestCase):
    """The tests of TFDS for a builder, on the files in dummy_data."""

    DATASET_CLASS = timit.Timit
    EXAMPLE_DIR = DUMMY_DATA
    BUILDER_CONFIG_NAMES_TO_TEST = [  # noqa: RUF012
        timit.TimitConfig(name="tiny", classes=4, train=2, test=1)
    ]
    SPLITS = {"train": 8, "test": 4}  # noqa: RUF012


def test_dummy_data_matches_its_recipe(tmp_path, write_utterance):
    """This file writes the same, up to the rounding of the last digit of a sine."""
    for name, labels in SENTENCES.items():
        write_utterance(tmp_path / "TIMIT", name, labels)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    committed_files = [path for path in DUMMY_DATA.rglob("*") if path.is_file()]
    assert len(files) == len(committed_files) == 12
    for path in files:
        committed = DUMMY_DATA / path.relative_to(tmp_path)
        if path.suffix == ".PHN":
            assert committed.read_text() == path.read_text()
        else:
            ours, theirs = (
                soundfile.read(p, dtype="int16")[0] for p in (path, committed)
            )
            np.testing.assert_allclose(ours, theirs, atol=1)


@pytest.fixture
def prepare(tmp_path):
    """Prepares a corpus and reads it: arrays by split, and class names."""

    def prepare(manual_dir, into="prepared", **config):
        builder = timit.Timit(
            data_dir=tmp_path / into, config=timit.TimitConfig(name="own", **config)
        )
        tfds.disable_progress_bar()
        builder.download_and_prepare(
            download_config=tfds.download.DownloadConfig(manual_dir=manual_dir)
        )
        assert builder.data_path == tmp_path / into / "timit" / "own" / "1.0.0"
        loaded = tfds.builder_from_directory(builder.data_path)
        splits = {}
        for split in ("train", "test"):
            pairs = list(tfds.as_numpy(loaded.as_dataset(split, as_supervised=True)))
            x, y = (np.array(column) for column in zip(*pairs, strict=True))
            order = np.lexsort((*x.T[:50], y))
            splits[split] = x[order], y[order]
        return splits, loaded.info.features["label"].names

    return prepare


def test_the_default_is_that_of_the_paper():
    config = timit.Timit.BUILDER_CONFIGS[0]
    assert (config.name, config.states) == ("thirds", 3)
    assert (config.classes, config.train, config.test) == (80, 400, 100)


def test_samples_of_a_sentence(tmp_path, prepare, write_utterance, speak):
    audio = {name: speak(LABELS, seed) for seed, name in enumerate(("TRAIN", "TEST"))}
    for name in audio:
        write_utterance(tmp_path, f"{name}/DR1/FAAA0/SI1", LABELS, audio[name])
    splits, names = prepare(tmp_path, classes=9, train=1, test=1)
    # The middles of the 13 frames are the samples 200, 360, ..., 2120: h# has frames 0
    # to 2, iy 3 to 7, s 8 to 12. Five frames are divided into 1, 2 and 2, and the
    # earlier of two is the middle.
    expected = {
        **{"h#-1": 0, "h#-2": 1, "h#-3": 2},
        **{"iy-1": 3, "iy-2": 4, "iy-3": 6},
        **{"s-1": 8, "s-2": 9, "s-3": 11},
    }
    assert names == list(expected)
    for split in ("train", "test"):
        x, y = splits[split]
        assert (x.dtype, x.shape) == (np.float32, (9, 1845))
        assert y.tolist() == [*range(9)]
        frames = _speech.features(audio[split.upper()])
        for row, name in zip(x, names, strict=True):
            around = [min(max(expected[name] + k, 0), 12) for k in range(-7, 8)]
            np.testing.assert_array_equal(row.reshape(15, 123), frames[around])


def test_classes_are_balanced_and_sa_sentences_left_out(prepare):
    splits, names = prepare(DUMMY_DATA, classes=6, train=3, test=2)
    assert names == ["h#-1", "h#-2", "h#-3", "iy-1", "iy-2", "iy-3"]
    assert np.bincount(splits["train"][1]).tolist() == [3] * 6
    assert np.bincount(splits["test"][1]).tolist() == [2] * 6


def test_a_copy_in_lower_case_is_the_same(tmp_path, prepare, write_utterance):
    for name, labels in SENTENCES.items():
        write_utterance(tmp_path / "lower", name, labels, upper=False)
        write_utterance(tmp_path / "upper" / "timit" / "TIMIT", name, labels)
    settings = {"classes": 4, "train": 2, "test": 1}
    lower, upper, other = (
        prepare(tmp_path / folder, f"{folder} {seed}", seed=seed, **settings)[0]
        for folder, seed in (("lower", 0), ("upper", 0), ("upper", 1))
    )
    for split in ("train", "test"):
        for ours, theirs in zip(lower[split], upper[split], strict=True):
            np.testing.assert_array_equal(ours, theirs)
    assert (lower["train"][0] != other["train"][0]).any()


def refused(pattern, function, *args, **kwargs):
    with pytest.raises(UsageError, match=pattern) as error:
        function(*args, **kwargs)
    assert "\n" not in str(error.value)


def test_no_corpus(tmp_path, prepare):
    refused("nowhere.*LDC93S1.*TRAIN and TEST", prepare, tmp_path / "nowhere")
    (tmp_path / "empty").mkdir()
    refused("empty.*LDC93S1.*TRAIN and TEST", prepare, tmp_path / "empty")
    (tmp_path / "file").touch()
    refused("file", prepare, tmp_path / "file")
    (tmp_path / "wrong" / "audio").mkdir(parents=True)
    refused("TRAIN and TEST in .*wrong.*LDC93S1", prepare, tmp_path / "wrong")


def test_too_few_classes(prepare):
    # h# and iy have three training samples of each state, s two and aa one.
    refused(
        "6 of 12 classes have 3 training and 2 test samples, and 80 are needed",
        prepare,
        DUMMY_DATA,
        train=3,
        test=2,
    )
    refused("0 of 4 classes have 400 training", prepare, DUMMY_DATA, states=1)


def test_truncated_audio(tmp_path, prepare, write_utterance, speak):
    for name, labels in SENTENCES.items():
        write_utterance(tmp_path, name, labels, speak(labels)[:1900])
    refused(
        r"\.WAV ends before its labels do, after 1900 samples",
        prepare,
        tmp_path,
        classes=9,
        train=2,
        test=1,
    )


@pytest.mark.parametrize(
    "numbers",
    [{"states": 0}, {"classes": 0}, {"train": 0}, {"test": -1}, {"seed": 2**32}],
)
def test_numbers_out_of_range(numbers):
    (field,) = numbers
    refused(f"{field} of TimitConfig", timit.TimitConfig, name="own", **numbers)


def test_states_worked_out_by_hand():
    # The middles 200 + 160 t from 3050 to 4559 are those of the ten frames 18 to 27,
    # with the thirds 18-20, 21-23 and 24-27.
    labels = [(0, 3050, "h#"), (3050, 4559, "sh"), (4559, 40000, "h#")]
    found = list(timit.find_states(labels, 3))
    assert found[3:6] == [("sh-1", 19), ("sh-2", 22), ("sh-3", 25)]
    assert list(timit.find_states(labels, 1))[1] == ("sh", 22)


def test_a_short_phone_is_left_out():
    labels = [(0, 1000, "h#"), (1000, 1320, "d"), (1320, 1800, "iy"), (1800, 4000, "s")]
    for states, phones in ((3, ["h#", "iy", "s"]), (2, ["h#", "d", "iy", "s"])):
        found = {name.split("-")[0] for name, _ in timit.find_states(labels, states)}
        assert found == set(phones)


@PROPERTY
@hypothesis.given(st.lists(st.integers(0, 3000), min_size=1, max_size=9), st.data())
def test_states_are_within_their_phone(durations, data):
    states = data.draw(st.integers(1, 4))
    ends = np.cumsum(durations).tolist()
    labels = [
        (end - duration, end, f"p{number}")
        for number, (end, duration) in enumerate(zip(ends, durations, strict=True))
    ]
    found = list(timit.find_states(labels, states))
    centres = [centre for _, centre in found]
    assert centres == sorted(set(centres))
    assert len(found) % states == 0
    for name, centre in found:
        phone, _, state = name.partition("-")
        begin, end, _ = labels[int(phone[1:])]
        part = (160 * centre + 200 - begin) / (end - begin) * states
        assert 0 <= part < states
        assert 160 * centre + 400 <= ends[-1]
        if (end - begin) > 160 * 40:  # long enough for rounding not to matter
            assert int(part) + 1 == int(state or 1)


def test_the_most_frequent_classes_with_enough_samples():
    def samples(**counts):
        return {
            name: [("u", n) for n in range(count)] for name, count in counts.items()
        }

    train = samples(a=5, b=9, c=9, d=20, e=3)
    test = samples(a=2, b=2, c=2, d=1, e=9)
    config = timit.TimitConfig(name="own", classes=3, train=4, test=2)
    assert timit.choose_classes(train, test, config) == ["b", "c", "a"]
    config = timit.TimitConfig(name="own", classes=1, train=4, test=2)
    assert timit.choose_classes(train, test, config) == ["b"]
    config = timit.TimitConfig(name="own", classes=4, train=4, test=2)
    refused("3 of 5 classes .* 4 are needed", timit.choose_classes, train, test, config)


def test_draw():
    population = [
        [(f"u{n % 7}", n) for n in range(40)],
        [(f"u{n % 5}", 100 + n) for n in range(30)],
    ]
    drawn = timit.draw(population, 10, (0, 0))
    assert list(drawn) == sorted(drawn)
    samples = [(name, *sample) for name in drawn for sample in drawn[name]]
    assert len(set(samples)) == 20
    assert collections.Counter(label for *_, label in samples) == {0: 10, 1: 10}
    assert all((name, centre) in population[label] for name, centre, label in samples)
    assert timit.draw(population, 10, (0, 0)) == drawn
    assert timit.draw(population, 10, (1, 0)) != drawn
    assert timit.draw(population, 10, (0, 1)) != drawn


def test_the_draw_never_changes():
    population = [[(f"u{n}", n) for n in range(1000)]]
    drawn = timit.draw(population, 5, (0, 0))
    assert list(drawn) == ["u205", "u743", "u842", "u882", "u907"]


@pytest.mark.slow
def test_speech_from_corpus_to_table(benchmarks, tmp_path, write_utterance):
    """A tiny TIMIT: prepared by its builder, standardized, trained on, in a table."""
    phones = [("h#", 1600), ("iy", 2400), ("s", 2400), ("aa", 2400)]
    labels, begin = [], 0
    for phone, length in phones:
        labels.append((begin, begin + length, phone))
        begin += length
    manual = tmp_path / "data" / "downloads" / "manual"
    for split, speakers in (("TRAIN", 4), ("TEST", 2)):
        for number in range(speakers):
            write_utterance(manual, f"{split}/DR1/F{split[:2]}A{number}/SI1", labels)
    config = timit.TimitConfig(name="tiny", classes=12, train=4, test=2)
    timit.Timit(config=config, data_dir=tmp_path / "data").download_and_prepare()
    done = benchmarks(
        *("--exp=A", "--models=BN", "--epochs=3", "--learning_rates=5e-3"),
        *("--datasets=timit/tiny", f"--data_dir={tmp_path / 'data'}"),
        f"--results_dir={tmp_path / 'results'}",
    )
    assert done.returncode == 0, done.stderr
    (path,) = (tmp_path / "results" / "trials").iterdir()
    trial = json.loads(path.read_text())
    assert trial["settings"]["architecture"] == "timit"
    # Each phone has its own tones, which can be learned; guessing is 0.92 wrong.
    assert trial["result"]["curves"][-1]["train_error"] < 0.8
