"""Files to files, one or many at a time.

A folder or a glob stands for many files: they are written into a folder under the same
relative names, and a file that fails in any way does not stop the others. While one
picture is in the network, others are read and written.
"""

import contextlib
import dataclasses
import os
import threading
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from tqdm import tqdm

from yoto_tf.data.images import SUFFIXES
from yoto_tf.errors import DataError, FormatError, YotoError
from yoto_tf.machine.inputs import rereadable
from yoto_tf.machine.outputs import check_kind, check_output, is_read

# Pictures in work at once: at most this many pixels, or one larger picture.
PIXELS_AT_ONCE = 2**25
_THREADS = 4


@dataclasses.dataclass(frozen=True)
class ConversionReport:
    """What became of the files.

    Attributes:
        files: a dict for each file that was written, with its "input" and "output".
        failed: {"input", "error"} of each file that failed; only where there were many.
        kept: {"input", "output"} of each output that was there and was to stay.
    """

    files: list[dict]
    failed: list[dict]
    kept: list[dict] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind of files.

    Attributes:
        suffixes: what their names end in, lower case.
        expected: that in words.
    """

    suffixes: frozenset[str]
    expected: str


PICTURES = Kind(SUFFIXES, "a picture suffix such as .png or .jpg")


def pair_files(source, target, list_files, read, written, suffix=None):
    """Pairs the files to read with those to write.

    Args:
        source: a file, a folder or a glob.
        target: the file to write; for many files a folder, made if need be.
        list_files: function of a folder or glob to its files.
        read: the `Kind` of the inputs in a folder.
        written: the `Kind` of the outputs.
        suffix: what many outputs end in; None for the suffixes of the inputs.

    Returns:
        A list of (input, output), and whether there may be many.

    Raises:
        DataError: an output that cannot be written, that is or would be an input, or
            that has the suffix of another kind of file.
    """
    if not os.fspath(source):
        raise DataError("expected the name of a file or folder, got ''")
    source, path, target = Path(source), target, Path(target)
    if source.exists() and not source.is_dir():
        check_output(path, written.suffixes, written.expected, [source])
        return [(rereadable(source), target)], False
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
    inputs = {_identity(file) for file in files}
    for output in outputs:
        if is_read(output, source, read.suffixes) or _identity(output) in inputs:
            raise DataError(
                f"{output} is or would be among the files of {source}, which are read: "
                "expected another folder to write"
            )
    return list(zip(files, outputs, strict=True)), True


def _identity(path):
    """What tells files apart: device and inode, or the path if there is no file yet."""
    try:
        found = os.stat(path)
    except OSError:
        return os.path.realpath(path)
    return found.st_dev, found.st_ino


def convert_files(pairs, many, convert, open_input=None, clobber=True, written=None):
    """Converts the files that `pair_files` paired, with a progress bar.

    Args:
        pairs: list of (input, output).
        many: whether a failure is reported instead of raised. Settings that are wrong
            for all files, and a user's interrupt, are raised either way.
        convert: function of (input, output) that writes the output and returns a dict
            for the report; raises DataError or FormatError. The input is its path, or
            what `open_input` has made of it.
        open_input: function of a path to what `convert` is given for it, with the
            attribute `pixels`, the size of its picture. With it several threads
            convert, and the pictures that are open at once have a bounded sum of
            pixels.
        clobber: whether outputs that exist are replaced.
        written: the `Kind` of the outputs: no file of another kind is replaced. None if
            that has been checked.

    Returns:
        A `ConversionReport`, in the order of the pairs.
    """
    kept = []
    if not clobber:
        kept = [pair for pair in pairs if pair[1].is_file()]
        pairs = [pair for pair in pairs if pair not in kept]
    kept = [{"input": str(path), "output": str(output)} for path, output in kept]
    if not many:
        opened = ((path, output) for path, output in pairs)
        if open_input is not None:
            opened = ((open_input(path), output) for path, output in pairs)
        return ConversionReport([convert(*pair) for pair in opened], [], kept)
    inputs_of = {}
    for path, output in pairs:
        inputs_of.setdefault(output, []).append(path)
    done, failed = {}, {}
    memory = _Budget(PIXELS_AT_ONCE)
    progress = tqdm(total=len(pairs), unit="file", delay=1, disable=None)

    def convert_to(output):
        made_of = None
        for path in inputs_of[output]:
            try:
                if made_of is not None:
                    raise DataError(f"{path}: {output} is made of {made_of}")
                if written is not None:
                    check_kind(output, written.suffixes, written.expected)
                if open_input is None:
                    done[path] = convert(path, output)
                else:
                    opened = open_input(path)
                    with memory.share(opened.pixels):
                        done[path] = convert(opened, output)
                made_of = path
            except (DataError, FormatError) as error:
                failed[path] = {"input": str(path), "error": str(error)}
            except YotoError:
                raise
            # Whatever a library raises for one file, the others are converted.
            except Exception as error:
                reason = " ".join(str(error).split()) or type(error).__name__
                failed[path] = {"input": str(path), "error": f"{path}: {reason}"}
            progress.update()

    with progress:
        if open_input is None:
            for output in inputs_of:
                convert_to(output)
        else:
            _in_threads(convert_to, inputs_of)
    return ConversionReport(
        [done[path] for path, _ in pairs if path in done],
        [failed[path] for path, _ in pairs if path in failed],
        kept,
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
    """Lets threads wait until the sum of what they use does not exceed the budget."""

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
