"""TIMIT-80: phone states, each represented by the 15 frames of speech around it.

The paper gives 80 classes with 400 training and 100 test samples each (section 5), and
1845 inputs (Table 1). It names neither the classes nor the features: those here are our
reading.
"""

import collections
import dataclasses
from collections.abc import Iterator

import numpy as np
import tensorflow_datasets as tfds

from keras_asymbp.benchmarks.datasets.builders import _speech, _timit_corpus
from keras_asymbp.benchmarks.errors import UsageError

# A sample: the name of its utterance and the index of the frame in its middle.
Sample = tuple[str, int]


@dataclasses.dataclass(eq=False)
class TimitConfig(tfds.core.BuilderConfig):
    """The choice of classes and samples from the corpus.

    A class is a state of a phone: one of `states` equal parts of its duration. The
    default of 3 is that of the usual hidden Markov models (61 phones x 3 states = 183,
    as in Mohamed, Dahl and Hinton, 2012, Acoustic Modeling Using Deep Belief Networks,
    https://doi.org/10.1109/TASL.2011.2109382).

    Attributes:
        states: Number of states of a phone; with 1, the classes are whole phones.
        classes: Number of classes: those with the most training samples.
        train: Number of training samples of each class.
        test: Number of test samples of each class.
        seed: Seed of the draw of samples, 0 to 2^32 - 1.

    Raises:
        UsageError: If a number is out of range.
    """

    states: int = 3
    classes: int = 80
    train: int = 400
    test: int = 100
    seed: int = 0

    def __post_init__(self):
        most = 2**32 - 1  # the largest seed of NumPy
        for field in ("states", "classes", "train", "test", "seed"):
            least = 0 if field == "seed" else 1
            value = getattr(self, field)
            if not least <= value <= most:
                raise UsageError(
                    f"{field} of TimitConfig is {value}: give {least} to {most}"
                )


class Timit(tfds.core.GeneratorBasedBuilder):
    """The builder `timit`: `{"features": float32 (1845,), "label": 0 to 79}`.

    The features are those of `_speech`; they are not standardized. A sample of a state
    is centred at the middle one of its frames. Training samples are from TRAIN and test
    samples from TEST, which have no speaker in common.

    Preparing it raises UsageError if the corpus isn't in `manual_dir`, if a file can't
    be read, or if too few classes have enough samples.
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First version."}  # noqa: RUF012
    BUILDER_CONFIGS = [  # noqa: RUF012
        TimitConfig(name="thirds", description="80 thirds of phones, 400 + 100 of each")
    ]
    MANUAL_DOWNLOAD_INSTRUCTIONS = f"""
    {_timit_corpus.HOW_TO_GET_IT}. Put its files in
    `manual_dir` unchanged: the folders TRAIN and TEST, themselves or inside TIMIT/ or
    timit/TIMIT/, with names in upper or lower case.
    """

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(
            builder=self,
            description=(
                "Phone states in the speech of TIMIT: 15 frames of 25 ms, 10 ms apart, "
                "each with 40 log-mel energies, the log energy of the frame, and the "
                "first and second differences of these."
            ),
            features=tfds.features.FeaturesDict(
                {
                    "features": tfds.features.Tensor(
                        shape=(_speech.INPUTS,), dtype=np.float32
                    ),
                    "label": tfds.features.ClassLabel(
                        num_classes=self.builder_config.classes
                    ),
                }
            ),
            supervised_keys=("features", "label"),
            homepage="https://catalog.ldc.upenn.edu/LDC93S1",
            citation=(
                "Garofolo, John S., et al. TIMIT Acoustic-Phonetic Continuous Speech "
                "Corpus LDC93S1. Philadelphia: Linguistic Data Consortium, 1993. "
                "https://doi.org/10.35111/17gk-bn40"
            ),
        )

    def _split_generators(self, dl_manager: tfds.download.DownloadManager):
        config = self.builder_config
        try:  # TFDS asserts that the folder exists and is not empty.
            manual_dir = dl_manager.manual_dir
        except (AssertionError, NotADirectoryError) as error:
            raise UsageError(" ".join(str(error).split())) from error
        corpus = _timit_corpus.find_corpus(manual_dir)
        utterances = {
            split: _timit_corpus.list_utterances(corpus[split])
            for split in _timit_corpus.SPLITS
        }
        samples = {
            split: find_samples(utterances[split], config.states)
            for split in _timit_corpus.SPLITS
        }
        classes = choose_classes(samples["train"], samples["test"], config)
        self.info.features["label"].names = classes
        return {
            split: self._generate_examples(
                utterances[split],
                draw(
                    [samples[split][name] for name in classes],
                    getattr(config, split),
                    (config.seed, stream),
                ),
            )
            for stream, split in enumerate(_timit_corpus.SPLITS)
        }

    def _generate_examples(self, utterances, drawn):
        for name, samples in drawn.items():
            audio = _timit_corpus.read_audio(utterances[name].audio)
            whole = _speech.frames_between(0, len(audio))
            frames = _speech.features(audio)
            for centre, label in samples:
                if centre not in whole:
                    raise UsageError(
                        f"{utterances[name].audio} ends before its labels do, after "
                        f"{len(audio)} samples: is the copy complete?"
                    )
                yield (
                    f"{name}/{centre}",
                    {"features": _speech.with_context(frames, centre), "label": label},
                )


def find_states(
    labels: list[tuple[int, int, str]], states: int
) -> Iterator[tuple[str, int]]:
    """The phone states in a sentence, each as its class and the index of its frame.

    The frames of a phone are those whose middle is in it. They are divided into
    `states` parts, as equal as possible, and the middle frame of each (the earlier of
    two) represents the state. A phone with fewer frames than states, for 3 states
    shorter than about 30 ms, is left out: two of its states would share a frame.

    >>> list(find_states([(0, 1000, "h#"), (1000, 2000, "sh")], states=3))
    [('h#-1', 0), ('h#-2', 1), ('h#-3', 3), ('sh-1', 5), ('sh-2', 7), ('sh-3', 9)]
    """
    # Only whole frames count: none has its middle at the very end.
    frames = _speech.count_frames(max((end for _, end, _ in labels), default=0))
    for begin, end, phone in labels:
        own = _speech.frames_between(begin, end)
        own = range(own.start, min(own.stop, frames))
        if len(own) < states:
            continue
        for state in range(states):
            part = own[len(own) * state // states : len(own) * (state + 1) // states]
            label = f"{phone}-{state + 1}" if states > 1 else phone
            yield label, part[(len(part) - 1) // 2]


def find_samples(
    utterances: dict[str, _timit_corpus.Utterance], states: int
) -> dict[str, list[Sample]]:
    """All samples of each class; reads the labels only, no audio."""
    samples = collections.defaultdict(list)
    for name, utterance in utterances.items():
        labels = _timit_corpus.read_labels(utterance.labels)
        for label, centre in find_states(labels, states):
            samples[label].append((name, centre))
    return samples


def choose_classes(
    train: dict[str, list[Sample]], test: dict[str, list[Sample]], config: TimitConfig
) -> list[str]:
    """The most frequent classes in training, among those with enough samples of both.

    They are sorted by falling number of training samples, ties by name.

    Raises:
        UsageError: If there are fewer than `config.classes`.
    """
    enough = [
        name
        for name in train
        if len(train[name]) >= config.train and len(test.get(name, ())) >= config.test
    ]
    if len(enough) < config.classes:
        raise UsageError(
            f"{len(enough)} of {len(train)} classes have {config.train} training and "
            f"{config.test} test samples, and {config.classes} are needed: give "
            "TimitConfig fewer classes, train or test, or more states"
        )
    return sorted(enough, key=lambda name: (-len(train[name]), name))[: config.classes]


def draw(
    samples: list[list[Sample]], count: int, seed: tuple[int, ...]
) -> dict[str, list[tuple[int, int]]]:
    """Draws `count` samples of each class, without replacement.

    Args:
        samples: All samples of class 0, of class 1, ...
        count: Number of samples to draw from each class.
        seed: Seed of the draw.

    Returns:
        By utterance, sorted: the `(centre, label)` of each sample drawn from it.
    """
    # RandomState: NumPy guarantees the same numbers in later versions.
    random = np.random.RandomState(seed)
    drawn = collections.defaultdict(list)
    for label, candidates in enumerate(samples):
        for index in random.permutation(len(candidates))[:count]:
            name, centre = candidates[index]
            drawn[name].append((centre, label))
    return {name: sorted(drawn[name]) for name in sorted(drawn)}
