"""Reads the files of TIMIT, the LDC's release LDC93S1.

Their paths are TRAIN or TEST / dialect region / speaker / sentence, for example
TRAIN/DR1/FCJF0/SI1027, with the audio in SI1027.WAV (NIST SPHERE, 16 bits, 16 kHz) and
the phones in SI1027.PHN. Some copies have names in upper case, others in lower case.
"""

import dataclasses
import io

import numpy as np
import soundfile
from etils import epath

from keras_asymbp.benchmarks.datasets import foreign
from keras_asymbp.benchmarks.datasets.builders import _speech
from keras_asymbp.benchmarks.errors import UsageError

SPLITS = ("train", "test")
HOW_TO_GET_IT = "TIMIT is licensed by the LDC: https://catalog.ldc.upenn.edu/LDC93S1"
_AGAIN = "copy TIMIT again"

_SPHERE_HEADER = 1024  # bytes


def find_corpus(folder: epath.Path) -> dict[str, epath.Path]:
    """Finds the folders TRAIN and TEST of the corpus, as "train" and "test".

    They may be in the folder itself, in its TIMIT/ or in its TIMIT/TIMIT/, in upper or
    lower case.

    Raises:
        UsageError: If they are missing.
    """
    root = folder
    while root is not None:
        with foreign.guarded(root, _AGAIN):
            inside = [path for path in root.iterdir() if path.is_dir()]
        folders = {path.name.lower(): path for path in inside}
        if all(split in folders for split in SPLITS):
            return {split: folders[split] for split in SPLITS}
        root = folders.get("timit")
    raise UsageError(
        f"no folders TRAIN and TEST in {folder} or its TIMIT/: put the files of TIMIT "
        f"there unchanged. {HOW_TO_GET_IT}"
    )


@dataclasses.dataclass(frozen=True)
class Utterance:
    """The files of a spoken sentence: its audio and its phones."""

    audio: epath.Path
    labels: epath.Path


def list_utterances(folder: epath.Path) -> dict[str, Utterance]:
    """The sentences in TRAIN or TEST, sorted by name, such as "dr1/fcjf0/si1027".

    The two SA sentences of each speaker are left out, as is usual: all speakers read
    the same two, so that the context of a phone gives it away.

    Raises:
        UsageError: If there are no sentences, or one has no audio.
    """
    utterances = {}
    for speaker in folder.glob("*/*"):
        if not speaker.is_dir():
            continue
        with foreign.guarded(speaker, _AGAIN):
            files = {path.name.lower(): path for path in speaker.iterdir()}
        for name, path in files.items():
            stem, _, suffix = name.rpartition(".")
            if suffix != "phn" or stem.startswith("sa"):
                continue
            if f"{stem}.wav" not in files:
                raise UsageError(f"there is no audio beside {path}: copy TIMIT again")
            full_name = f"{speaker.parent.name}/{speaker.name}/{stem}".lower()
            utterances[full_name] = Utterance(files[f"{stem}.wav"], path)
    if not utterances:
        raise UsageError(
            f"no sentences in {folder}: expected files such as DR1/FCJF0/SI1027.PHN"
        )
    return dict(sorted(utterances.items()))


def read_labels(path: epath.Path) -> list[tuple[int, int, str]]:
    """The phones of a sentence, each as (first sample, last sample + 1, symbol).

    Raises:
        UsageError: If a line of the file has another form.
    """
    labels = []
    lines = foreign.read_text(path, _AGAIN).splitlines()
    with foreign.guarded(path, _AGAIN):
        for number, line in enumerate(lines, start=1):
            match line.split():
                case []:
                    pass
                case [begin, end, phone] if begin.isdecimal() and end.isdecimal():
                    labels.append((int(begin), int(end), phone))
                case _:
                    raise UsageError(
                        f"line {number} of {path} is {line[:60]!r}: expected first "
                        "sample, last sample and phone"
                    )
    return labels


def read_audio(path: epath.Path) -> np.ndarray:
    """Reads the samples of an audio file: NIST SPHERE, as in the corpus, or RIFF.

    Returns:
        int16 (n,).

    Raises:
        UsageError: If it can't be read, is shorter than a frame, or isn't one channel
            at 16 kHz.
    """
    content = foreign.read_bytes(path, _AGAIN)
    with foreign.guarded(path, _AGAIN):
        try:
            file = io.BytesIO(content)
            audio, rate = soundfile.read(file, dtype="int16", always_2d=True)
        except soundfile.LibsndfileError as error:
            if b"shorten" in content[:_SPHERE_HEADER]:
                raise UsageError(
                    f"{path} is compressed with Shorten: decompress the files with the "
                    "LDC's sph2pipe first"
                ) from error
            raise
    samples, channels = audio.shape
    if rate != _speech.SAMPLE_RATE or channels != 1 or samples < _speech.FRAME_LENGTH:
        raise UsageError(
            f"{path} has {samples} samples at {rate} Hz, {channels} channel(s): "
            f"expected {_speech.FRAME_LENGTH} or more at {_speech.SAMPLE_RATE} Hz, 1"
        )
    return audio[:, 0]
