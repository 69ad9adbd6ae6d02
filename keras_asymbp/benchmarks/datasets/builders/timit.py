"""TIMIT-80: states of phones, each as the 15 frames of speech around it.

The paper says that there are 80 classes with 400 training and 100 test samples each
(section 5), and 1845 inputs (Table 1). It names neither the classes nor the features:
what is here is our reading.
"""

import collections
import dataclasses
from collections.abc import Iterator

import numpy as np
import tensorflow_datasets as tfds

from keras_asymbp.benchmarks.datasets.builders import (
    _speech,
    _timit_corpus,
)
from keras_asymbp.benchmarks.errors import UsageError

# A sample: the name of its utterance and the number of the frame in its middle.
Place = tuple[str, int]


@dataclasses.dataclass(eq=False)
class TimitConfig(tfds.core.BuilderConfig):
    """How samples and classes are taken from the corpus.

    A class is a state of a phone: the first, second, ... of `states` equal parts of its
    duration. The default 3 are as many as a phone has in the usual hidden Markov models
    (61 phones x 3 states = 183, as in Mohamed, Dahl and Hinton, 2012, Acoustic Modeling
    Using Deep Belief Networks, https://doi.org/10.1109/TASL.2011.2109382).

    Attributes:
        states: How many states a phone has; 1 makes whole phones the classes.
        classes: How many classes there are: those with the most training samples.
        train: Training samples of each class.
        test: Test samples of each class.
        seed: Which samples are drawn, 0 to 2^32 - 1.

    Raises:
        UsageError: If a number is out of its range.
    """

    states: int = 3
    classes: int = 80
    train: int = 400
    test: int = 100
    seed: int = 0

    def __post_init__(self):
        most = 2**32 - 1  # of NumPy's seeds; the others have no use for as much
        for field in ("states", "classes", "train", "test", "seed"):
            least = 0 if field == "seed" else 1
            value = getattr(self, field)
            if not least <= value <= most:
                raise UsageError(
                    f"{field} of TimitConfig is {value}: give {least} to {most}"
                )


class Timit(tfds.core.GeneratorBasedBuilder):
    """The builder `timit`: `{"features": float32 (1845,), "label": 0 to 79}`.

    The features are those of `speech`: that each of the 1845 has mean 0 and deviation 1
    over the training set is left to the reader. A sample of a state is centred at the
    middle one of its frames. Training samples are from the corpus's TRAIN and test
    samples from its TEST, which have no speaker in common.

    Preparing it raises UsageError if the corpus isn't in `manual_dir`, if a file can't
    be read, and if fewer classes have enough samples than the configuration wants.
    """

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "First version."}  # noqa: RUF012
    BUILDER_CONFIGS = [  # noqa: RUF012
        TimitConfig(name="thirds", description="80 thirds of phones, 400 + 100 of each")
    ]
    MANUAL_DOWNLOAD_INSTRUCTIONS = f"""
    {_timit_corpus.HOW_TO_GET_IT}. Put its files in
    `manual_dir` as they are: the folders TRAIN and TEST, themselves or inside TIMIT/ or
    timit/TIMIT/, with names in upper or in lower case.
    """

    def _info(self) -> tfds.core.DatasetInfo:
        return tfds.core.DatasetInfo(
            builder=self,
            description=(
                "States of phones in the speech of TIMIT: 15 frames of 25 ms, 10 ms "
                "apart, each of 40 log-mel energies and the log energy of the frame "
                "with their first and second differences."
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
        try:  # TFDS asserts that the folder is there and has something in it.
            manual_dir = dl_manager.manual_dir
        except (AssertionError, NotADirectoryError) as error:
            raise UsageError(" ".join(str(error).split())) from error
        corpus = _timit_corpus.find_corpus(manual_dir)
        utterances = {
            split: _timit_corpus.list_utterances(corpus[split])
            for split in _timit_corpus.SPLITS
        }
        places = {
            split: find_places(utterances[split], config.states)
            for split in _timit_corpus.SPLITS
        }
        classes = choose_classes(places["train"], places["test"], config)
        self.info.features["label"].names = classes
        return {
            split: self._generate_examples(
                utterances[split],
                draw(
                    [places[split][name] for name in classes],
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


def find_samples(
    labels: list[tuple[int, int, str]], states: int
) -> Iterator[tuple[str, int]]:
    """The samples in a sentence: the class and the number of the frame in the middle.

    The frames of a phone are those whose middle is in it. They are divided into
    `states` parts, as equal as can be, and the middle one of each is a sample (the
    earlier of two). A phone with fewer frames than states, for 3 one of less than about
    30 ms, has none: two of its states would have the same frame.

    >>> list(find_samples([(0, 1000, "h#"), (1000, 2000, "sh")], states=3))
    [('h#-1', 0), ('h#-2', 1), ('h#-3', 3), ('sh-1', 5), ('sh-2', 7), ('sh-3', 9)]
    """
    # Frames are whole: none has its middle at the very end.
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


def find_places(
    utterances: dict[str, _timit_corpus.Utterance], states: int
) -> dict[str, list[Place]]:
    """Where there are samples of each class; only labels are read, no audio."""
    places = collections.defaultdict(list)
    for name, utterance in utterances.items():
        labels = _timit_corpus.read_labels(utterance.labels)
        for label, centre in find_samples(labels, states):
            places[label].append((name, centre))
    return places


def choose_classes(
    train: dict[str, list[Place]], test: dict[str, list[Place]], config: TimitConfig
) -> list[str]:
    """The classes with the most training samples among those that have enough of both.

    The first has the most; classes with as many are in the order of their names.

    Raises:
        UsageError: If there are fewer than the configuration wants.
    """
    enough = [
        name
        for name in train
        if len(train[name]) >= config.train and len(test.get(name, ())) >= config.test
    ]
    if len(enough) < config.classes:
        raise UsageError(
            f"{len(enough)} of {len(train)} classes have {config.train} training and "
            f"{config.test} test samples, and {config.classes} are wanted: give "
            "TimitConfig fewer classes, train or test, or more states"
        )
    return sorted(enough, key=lambda name: (-len(train[name]), name))[: config.classes]


def draw(
    places: list[list[Place]], count: int, seed: tuple[int, ...]
) -> dict[str, list[tuple[int, int]]]:
    """Draws `count` samples of each class, without putting any back.

    Args:
        places: Where there are samples of class 0, of class 1, ...
        count: How many are drawn of each.
        seed: The same seed draws the same samples.

    Returns:
        For each utterance with any, in order: `(centre, label)` of each sample.
    """
    # RandomState, as NumPy promises that its numbers stay the same in later versions.
    random = np.random.RandomState(seed)
    drawn = collections.defaultdict(list)
    for label, candidates in enumerate(places):
        for index in random.permutation(len(candidates))[:count]:
            name, centre = candidates[index]
            drawn[name].append((centre, label))
    return {name: sorted(drawn[name]) for name in sorted(drawn)}
