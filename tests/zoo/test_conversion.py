import dataclasses
import threading
import time
from pathlib import Path

import pytest

from yoto_tf.errors import CoefficientError, DataError
from yoto_tf.zoo import conversion
from yoto_tf.zoo.conversion import convert_files

PAIRS = [(Path(f"{number}.png"), Path(f"{number}.out")) for number in range(40)]


@dataclasses.dataclass(frozen=True)
class Opened:
    """What a conversion is given for an input that has been opened."""

    path: Path
    pixels: int = 1

    @property
    def stem(self):
        return self.path.stem

    def __str__(self):
        return str(self.path)


class Work:
    """A conversion that counts how many run at once; every seventh fails."""

    def __init__(self, pixels):
        self.pixels = pixels
        self.most_files = self.most_pixels = 0
        self._running = []
        self._lock = threading.Lock()

    def __call__(self, path, output):
        with self._lock:
            self._running.append(self.pixels)
            self.most_files = max(self.most_files, len(self._running))
            self.most_pixels = max(self.most_pixels, sum(self._running))
        time.sleep(0.002)
        with self._lock:
            self._running.remove(self.pixels)
        if int(path.stem) % 7 == 3:
            raise DataError(f"{path}: bad")
        return {"input": str(path), "output": str(output)}


def assert_complete_and_in_order(report):
    bad = [number for number in range(40) if number % 7 == 3]
    assert [file["input"] for file in report.failed] == [f"{n}.png" for n in bad]
    assert [file["error"] for file in report.failed] == [f"{n}.png: bad" for n in bad]
    good = sorted(set(range(40)) - set(bad))
    assert [file["input"] for file in report.files] == [f"{n}.png" for n in good]


@pytest.mark.parametrize(
    ("pixels", "at_once"), [(1, 4), (conversion.PIXELS_AT_ONCE // 2, 2), (2**27, 1)]
)
def test_as_many_at_once_as_there_is_memory_for(pixels, at_once):
    work = Work(pixels)
    report = convert_files(PAIRS, True, work, lambda path: Opened(path, pixels))
    assert_complete_and_in_order(report)
    assert work.most_files == at_once


def test_without_sizes_one_after_the_other():
    work = Work(1)
    assert_complete_and_in_order(convert_files(PAIRS, True, work))
    assert work.most_files == 1


def test_an_input_that_is_refused_unread_is_the_failure_of_its_file():
    def opened(path):
        if int(path.stem) % 7 == 3:
            raise DataError(f"{path}: bad")
        return Opened(path)

    report = convert_files(PAIRS, True, lambda path, _: {"input": str(path)}, opened)
    assert_complete_and_in_order(report)


def test_the_first_that_works_of_several_inputs_makes_the_output():
    inputs = [Path("3.png"), Path("4.png"), Path("5.png")]
    pairs = [(path, Path("out")) for path in inputs]
    report = convert_files(pairs, True, Work(1), Opened)
    assert [file["input"] for file in report.files] == ["4.png"]
    assert [file["error"] for file in report.failed] == [
        "3.png: bad",
        "5.png: out is made of 4.png",
    ]


def test_an_error_in_the_settings_ends_it():
    calls = []

    def convert(path, output):
        calls.append(path)
        time.sleep(0.002)
        raise CoefficientError("no such setting")

    with pytest.raises(CoefficientError, match="no such setting"):
        convert_files(PAIRS, True, convert, Opened)
    assert len(calls) < 20


@pytest.mark.parametrize(
    "error", [MemoryError(), RuntimeError("odd"), Exception("never seen"), OSError(5)]
)
def test_whatever_a_file_raises_is_its_own_failure(error):
    def convert(path, output):
        if path.stem == "3":
            raise error
        return {"input": str(path), "output": str(output)}

    for open_input in (None, Opened):
        report = convert_files(PAIRS, True, convert, open_input)
        assert len(report.files) == 39
        assert [failure["input"] for failure in report.failed] == ["3.png"]
        assert report.failed[0]["error"].startswith("3.png: ")


@pytest.mark.parametrize("open_input", [None, Opened])
def test_an_interrupt_ends_it(open_input):
    def convert(path, output):
        time.sleep(0.002)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        convert_files(PAIRS, True, convert, open_input)


def test_one_file_raises():
    with pytest.raises(DataError, match=r"3\.png: bad"):
        convert_files(PAIRS[3:4], False, Work(1), Opened)
