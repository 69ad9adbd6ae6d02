"""The files of TIMIT, the LDC's release LDC93S1, as they are on its disc.

They are TRAIN or TEST / dialect region / speaker / sentence, for example
TRAIN/DR1/FCJF0/SI1027, with the audio in SI1027.WAV (NIST SPHERE, 16 bits, 16 kHz) and
the phones in SI1027.PHN. There are copies with names in upper case and in lower case.
"""

import dataclasses
import io

import numpy as np
import soundfile
from etils import epath

from keras_asymbp.benchmarks.datasets.builders import _speech
from keras_asymbp.benchmarks.errors import UsageError

SPLITS = ("train", "test")
HOW_TO_GET_IT = "TIMIT is licensed by the LDC: https://catalog.ldc.upenn.edu/LDC93S1"

_SPHERE_HEADER = 1024  # bytes


def find_corpus(folder: epath.Path) -> dict[str, epath.Path]:
    """The corpus's folders TRAIN and TEST as "train" and "test".

    They are looked for in the folder, in TIMIT/ there and in TIMIT/TIMIT/, whichever
    case the names have.

    Raises:
        UsageError: If they aren't there.
    """
    place = folder
    while place is not None:
        folders = {path.name.lower(): path for path in place.iterdir() if path.is_dir()}
        if all(split in folders for split in SPLITS):
            return {split: folders[split] for split in SPLITS}
        place = folders.get("timit")
    raise UsageError(
        f"no folders TRAIN and TEST in {folder}, nor in TIMIT/ there: put the files of "
        f"TIMIT there as they are. {HOW_TO_GET_IT}"
    )


@dataclasses.dataclass(frozen=True)
class Utterance:
    """A sentence: its audio and the phones in it."""

    audio: epath.Path
    labels: epath.Path


def list_utterances(folder: epath.Path) -> dict[str, Utterance]:
    """The sentences in TRAIN or TEST by name, "dr1/fcjf0/si1027", in its order.

    The two SA sentences of each speaker are left out, as is usual: all speakers read
    the same two, so that what is beside a phone gives it away.

    Raises:
        UsageError: If there are none, or one has no audio.
    """
    utterances = {}
    for speaker in folder.glob("*/*"):
        if not speaker.is_dir():
            continue
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
    """The phones of a sentence: the first sample, the one after the last, the symbol.

    Raises:
        UsageError: If a line of the file isn't of this form.
    """
    labels = []
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        match line.split():
            case []:
                pass
            case [begin, end, phone] if begin.isdecimal() and end.isdecimal():
                labels.append((int(begin), int(end), phone))
            case _:
                raise UsageError(
                    f"line {number} of {path} is {line!r}: expected the first sample, "
                    "the last and a phone"
                )
    return labels


def read_audio(path: epath.Path) -> np.ndarray:
    """The samples of an audio file: NIST SPHERE, as in the corpus, or RIFF.

    Returns:
        int16 (n,).

    Raises:
        UsageError: If it can't be read, or isn't one channel at 16 kHz.
    """
    content = path.read_bytes()
    try:
        audio, rate = soundfile.read(io.BytesIO(content), dtype="int16", always_2d=True)
    except soundfile.LibsndfileError as error:
        if b"shorten" in content[:_SPHERE_HEADER]:
            raise UsageError(
                f"{path} is compressed with Shorten: decompress the files with the "
                "LDC's sph2pipe first"
            ) from error
        raise UsageError(f"{path} can't be read: {error.error_string}") from error
    samples, channels = audio.shape
    if rate != _speech.SAMPLE_RATE or channels != 1 or samples < _speech.FRAME_LENGTH:
        raise UsageError(
            f"{path} has {samples} samples at {rate} Hz, {channels} channel(s): "
            f"expected {_speech.FRAME_LENGTH} or more at {_speech.SAMPLE_RATE} Hz, 1"
        )
    return audio[:, 0]
