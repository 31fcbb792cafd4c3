"""Files to files, one or many at a time.

A folder or a glob stands for many files: they are written into a folder under the same
relative names, and a file that fails does not stop the others. While one picture is in
the network, others are read and written.
"""

import contextlib
import dataclasses
import os
import threading
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from tqdm import tqdm

from yoto_tf.errors import DataError, FormatError
from yoto_tf.machine.atomic_files import check_writable

# Pictures in work at once: at most this many pixels, or one larger picture.
PIXELS_AT_ONCE = 2**25
_THREADS = 4


@dataclasses.dataclass(frozen=True)
class Report:
    """What became of the files.

    Attributes:
        files: a dict for each file that was written, with its "input" and "output".
        failed: {"input", "error"} of each file that failed; only where there were many.
    """

    files: list[dict]
    failed: list[dict]


def pair_files(source, target, list_files, suffix=None):
    """Which file is to be written for which.

    Args:
        source: a file, a folder or a glob.
        target: the file to write; for many files a folder, made if need be.
        list_files: function of a folder or glob to its files.
        suffix: what many outputs end in; None for the suffixes of the inputs.

    Returns:
        A list of (input, output), and whether there may be many.

    Raises:
        DataError: an output that cannot be written or would replace the input.
    """
    source, target = Path(source), Path(target)
    if source.exists() and not source.is_dir():
        if target.exists() and target.samefile(source):
            raise DataError(f"{target} is the input, expected another file to write")
        check_writable(target)
        return [(source, target)], False
    files = list_files(source)
    root = source
    if not source.is_dir():
        root = Path(os.path.commonpath([file.parent for file in files]))
    if target.exists() and not target.is_dir():
        raise DataError(f"{target} is a file, expected a folder for many files")
    if target.exists() and target.samefile(root):
        raise DataError(f"{target} holds the input, expected another folder to write")
    outputs = [target / file.relative_to(root) for file in files]
    if suffix is not None:
        outputs = [output.with_suffix(suffix) for output in outputs]
    return list(zip(files, outputs, strict=True)), True


def convert_files(pairs, many, convert, pixels=None):
    """Converts the files that `pair_files` paired, with a progress bar.

    Args:
        pairs: list of (input, output).
        many: whether a failure is reported instead of raised.
        convert: function of (input, output) that writes the output and returns a dict
            for the report; raises DataError or FormatError.
        pixels: function of an input to the size of its picture, or 0 if that cannot be
            told. Given it, several threads convert, as many pictures at once as hold
            few enough pixels together.

    Returns:
        A `Report`, in the order of the pairs.
    """
    if not many:
        return Report([convert(*pairs[0])], [])
    inputs_of = {}
    for path, output in pairs:
        inputs_of.setdefault(output, []).append(path)
    done, failed = {}, {}
    memory = _Budget(PIXELS_AT_ONCE)
    progress = tqdm(total=len(pairs), unit="file", delay=1, disable=None)

    def convert_to(output):
        written = None
        for path in inputs_of[output]:
            try:
                if written is not None:
                    raise DataError(f"{path}: {output} is made of {written}")
                with memory.share(pixels(path) if pixels else 0):
                    done[path] = convert(path, output)
                written = path
            except (DataError, FormatError, OSError) as error:
                failed[path] = {"input": str(path), "error": str(error)}
            progress.update()

    with progress:
        if pixels is None:
            for output in inputs_of:
                convert_to(output)
        else:
            _in_threads(convert_to, inputs_of)
    return Report(
        [done[path] for path, _ in pairs if path in done],
        [failed[path] for path, _ in pairs if path in failed],
    )


def _in_threads(function, arguments):
    with ThreadPoolExecutor(_THREADS) as pool:
        results = [pool.submit(function, argument) for argument in arguments]
        try:
            for result in as_completed(results):
                result.result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


class _Budget:
    """Makes threads wait until what they want together is no more than there is."""

    def __init__(self, amount):
        self._amount = self._left = amount
        self._changed = threading.Condition()

    @contextlib.contextmanager
    def share(self, amount):
        """Holds an amount, or all there is if it is more."""
        amount = min(amount, self._amount)
        with self._changed:
            self._changed.wait_for(lambda: self._left >= amount)
            self._left -= amount
        try:
            yield
        finally:
            with self._changed:
                self._left += amount
                self._changed.notify_all()
