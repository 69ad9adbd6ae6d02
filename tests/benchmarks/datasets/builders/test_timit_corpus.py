import numpy as np
import pytest
import soundfile
from etils import epath

from keras_asymbp.benchmarks.datasets.builders import _timit_corpus
from keras_asymbp.benchmarks.errors import UsageError

LABELS = [(0, 700, "h#"), (700, 1600, "iy")]


@pytest.fixture
def folder(tmp_path):
    return epath.Path(tmp_path)


def refused(pattern, function, *args):
    with pytest.raises(UsageError, match=pattern) as error:
        function(*args)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("inside", ["", "TIMIT", "timit", "timit/TIMIT"])
@pytest.mark.parametrize(("train", "test"), [("TRAIN", "TEST"), ("train", "test")])
def test_find_corpus(inside, train, test, folder):
    for name in (train, test, "DOC"):
        (folder / inside / name).mkdir(parents=True)
    assert _timit_corpus.find_corpus(folder) == {
        "train": folder / inside / train,
        "test": folder / inside / test,
    }


@pytest.mark.parametrize("existing", ["", "TRAIN", "other/TRAIN", "TIMIT/TEST"])
def test_no_corpus(existing, folder):
    (folder / existing).mkdir(parents=True, exist_ok=True)
    refused(rf"TRAIN and TEST in {folder}.*LDC93S1", _timit_corpus.find_corpus, folder)


@pytest.mark.parametrize("upper", [True, False])
def test_list_utterances(upper, folder, write_utterance):
    for name in ("DR2/MBBB0/SX2", "DR1/FAAA0/SX10", "DR1/FAAA0/SI1", "DR1/FAAA0/SA1"):
        write_utterance(folder, name, LABELS, upper=upper)
    (folder / "README").touch()
    (folder / "DR1" if upper else folder / "dr1").joinpath("NOTES").touch()
    utterances = _timit_corpus.list_utterances(folder)
    assert list(utterances) == ["dr1/faaa0/si1", "dr1/faaa0/sx10", "dr2/mbbb0/sx2"]
    for name, utterance in utterances.items():
        for path, suffix in ((utterance.audio, ".wav"), (utterance.labels, ".phn")):
            assert path.is_file()
            assert path.relative_to(folder).as_posix().lower() == name + suffix


def test_a_copy_with_additional_riff_files(folder, write_utterance):
    write_utterance(folder, "DR1/FAAA0/SI1", LABELS)
    riff = folder / "DR1/FAAA0/SI1.WAV.wav"
    soundfile.write(riff, np.zeros(1600, np.int16), 16000)
    (utterance,) = _timit_corpus.list_utterances(folder).values()
    assert utterance.audio.name == "SI1.WAV"


def test_no_sentences(folder, write_utterance):
    refused("no sentences", _timit_corpus.list_utterances, folder)
    write_utterance(folder, "DR1/FAAA0/SA2", LABELS)
    refused("no sentences", _timit_corpus.list_utterances, folder)


def test_a_sentence_without_audio(folder, write_utterance):
    write_utterance(folder, "DR1/FAAA0/SI1", LABELS)
    (folder / "DR1/FAAA0/SI1.WAV").unlink()
    refused("no audio beside .*SI1.PHN", _timit_corpus.list_utterances, folder)


def test_read_labels(folder):
    (folder / "a.phn").write_text("0 3050 h#\n3050 4559 sh\r\n\n4559 5723 ax-h\n")
    assert _timit_corpus.read_labels(folder / "a.phn") == [
        (0, 3050, "h#"),
        (3050, 4559, "sh"),
        (4559, 5723, "ax-h"),
    ]


@pytest.mark.parametrize("line", ["0 3050", "0 x h#", "-1 3050 h#", "0 3050 she had"])
def test_unreadable_labels(line, folder):
    (folder / "a.phn").write_text(f"0 3050 h#\n{line}\n")
    refused("line 2 of .*a.phn", _timit_corpus.read_labels, folder / "a.phn")


@pytest.mark.parametrize("byte_format", ["01", "10"])
@pytest.mark.parametrize("coding", ["", "sample_coding -s3 pcm\n"])
def test_read_audio(byte_format, coding, folder, sphere, speak):
    audio = speak(LABELS)
    (folder / "A.WAV").write_bytes(sphere(audio, coding, byte_format))
    read = _timit_corpus.read_audio(folder / "A.WAV")
    assert read.dtype == np.int16
    np.testing.assert_array_equal(read, audio)


@pytest.mark.parametrize("form", ["NIST", "WAV"])
def test_read_audio_written_by_soundfile(form, folder, speak):
    audio = speak(LABELS)
    soundfile.write(folder / "A.WAV", audio, 16000, "PCM_16", format=form)
    np.testing.assert_array_equal(_timit_corpus.read_audio(folder / "A.WAV"), audio)


def test_compressed_audio_is_refused(folder, sphere, speak):
    coding = "sample_coding -s26 pcm,embedded-shorten-v1.09\n"
    (folder / "A.WAV").write_bytes(sphere(speak(LABELS), coding))
    refused("A.WAV.*Shorten.*sph2pipe", _timit_corpus.read_audio, folder / "A.WAV")


def test_an_unreadable_file_is_refused(folder):
    (folder / "A.WAV").write_bytes(b"<html>not found</html>")
    refused(
        r"can't read .*A.WAV \(.*not recognised\): copy",
        _timit_corpus.read_audio,
        folder / "A.WAV",
    )


@pytest.mark.parametrize(
    ("shape", "rate", "words"),
    [
        ((1000,), 8000, "1000 samples at 8000 Hz, 1 channel"),
        ((1000, 2), 16000, "2 channel"),
        ((399,), 16000, "399 samples"),
    ],
)
def test_audio_of_another_form_is_refused(shape, rate, words, folder):
    soundfile.write(folder / "A.WAV", np.zeros(shape, np.int16), rate, format="WAV")
    refused(f"A.WAV has .*{words}", _timit_corpus.read_audio, folder / "A.WAV")
