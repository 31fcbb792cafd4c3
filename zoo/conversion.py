"""Files to files, one or many at a time.

Of many files, one that fails in any way does not stop the others. While one picture is
in the network, others are read and written.
"""

import contextlib
import dataclasses
import threading
from concurrent.futures import ThreadPoolExecutor, as_completed

from yoto_tf.errors import DataError, FormatError, YotoError
from yoto_tf.machine.atomic_files import is_special
from yoto_tf.machine.outputs import check_kind
from yoto_tf.machine.progress import progress_bar
from yoto_tf.machine.threads import num_threads

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
        skipped: names of the files in folders that are not of the kind that is read.
    """

    files: list[dict]
    failed: list[dict]
    kept: list[dict] = dataclasses.field(default_factory=list)
    skipped: list[str] = dataclasses.field(default_factory=list)


def convert_files(
    pairs, many, convert, open_input=None, clobber=True, written=None, skipped=()
):
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
        skipped: for the report.

    Returns:
        A `ConversionReport`, in the order of the pairs.
    """
    kept = []
    if not clobber:
        # What the shell has opened for us, as for `-`, is no file of before.
        kept = [p for p in pairs if p[1].is_file() and not is_special(p[1])]
        pairs = [pair for pair in pairs if pair not in kept]
    kept = [{"input": str(path), "output": str(output)} for path, output in kept]
    if not many:
        opened = ((path, output) for path, output in pairs)
        if open_input is not None:
            opened = ((open_input(path), output) for path, output in pairs)
        done = [convert(*pair) for pair in opened]
        return ConversionReport(done, [], kept, list(skipped))
    inputs_of = {}
    for path, output in pairs:
        inputs_of.setdefault(output, []).append(path)
    done, failed = {}, {}
    memory = _Budget(PIXELS_AT_ONCE)
    progress = progress_bar(total=len(pairs), unit="file")

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
        list(skipped),
    )


def _in_threads(function, arguments):
    with ThreadPoolExecutor(num_threads(_THREADS)) as pool:
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
