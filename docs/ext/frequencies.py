"""How well a table of frequencies predicts a text: a yardstick for networks."""

import collections
import statistics

import numpy as np

from keras_asymbp.benchmarks import datasets
from keras_asymbp.benchmarks.datasets.dataset import SPLITS


def error(dataset, characters):
    """The test error of naming what most often follows the last characters.

    Args:
        dataset: The name of a data set of windows of characters.
        characters: The number of last characters that are looked at.

    Returns:
        The error in percent.
    """
    source = datasets.get(dataset).source
    windows = [
        (map(tuple, inputs[:, inputs.shape[1] - characters :].argmax(-1)), labels)
        for split, labels in zip(SPLITS, source.labels(None), strict=True)
        for inputs in [np.concatenate(list(source.inputs(split, None)))]
    ]
    (before, labels), test = windows
    followers = collections.defaultdict(collections.Counter)
    for last, label in zip(before, labels, strict=True):
        followers[last][label] += 1
    named = {last: count.most_common(1)[0][0] for last, count in followers.items()}
    wrong = [named.get(last) != label for last, label in zip(*test, strict=True)]
    return 100 * statistics.fmean(wrong)
