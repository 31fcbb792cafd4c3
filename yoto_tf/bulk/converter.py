"""One picture after the other, from bytes to bytes, whatever each of them is."""

import dataclasses
import math
import tempfile
import time
from pathlib import Path, PurePosixPath

from yoto_tf.errors import DataError, FormatError
from yoto_tf.machine.inputs import NamedCopy
from yoto_tf.machine.threads import limit_threads

COLUMNS = ("bytes", "width", "height", "bpp", "psnr", "points", "seconds", "error")


@dataclasses.dataclass(frozen=True)
class Converted:
    """What became of one input.

    Attributes:
        content: bytes of the output, or None if there is none.
        row: {column of the manifest: value}, of `COLUMNS`.
    """

    content: bytes | None
    row: dict


class Converter:
    """A task with its model loaded and warmed up.

    Args:
        task: a `Task`.
        threads: how many to compute with. TensorFlow and NumPy read it when they are
            first imported: set `OMP_NUM_THREADS` and the others of
            `yoto_tf.machine.threads.thread_variables` too, where the process starts.
    """

    def __init__(self, task, threads=1):
        limit_threads(threads)
        from yoto_tf.machine.keras_settings import set_usual_settings

        # Released networks do not follow the settings in a user's keras.json.
        set_usual_settings()
        self._task = task
        self._convert = task.start()

    def __call__(self, name, content):
        """Converts one input.

        Args:
            name: what messages call it. Its suffix is that of its kind.
            content: bytes.

        Returns:
            A `Converted`. An input that fails in any way has the reason in the column
            "error", and nothing is raised.
        """
        start = time.perf_counter()
        with tempfile.TemporaryDirectory(prefix="yoto-") as folder:
            result, row = None, dict.fromkeys(COLUMNS)
            try:
                source = Path(folder, f"input{PurePosixPath(name).suffix}")
                source.write_bytes(content)
                output = Path(folder, self._task.renamed(source.name))
                output = output.with_stem("output")
                described = self._convert(NamedCopy(source, name), output)
                row |= _columns(described)
                if self._task.written is not None:
                    result = output.read_bytes()
                    row["bytes"] = len(result)
            except (DataError, FormatError) as error:
                row["error"] = str(error)
            # Whatever a library raises for one picture, the others are converted.
            except Exception as error:
                reason = " ".join(str(error).split()) or type(error).__name__
                row["error"] = f"{name}: {reason}"
        row["seconds"] = time.perf_counter() - start
        return Converted(result, row)


def _columns(described):
    names = {"width", "height", "points"} & described.keys()
    columns = {name: described[name] for name in names}
    columns["bpp"] = described.get("bits_per_pixel")
    if "psnr" in described:
        exact = described["psnr"] is None
        columns["psnr"] = math.inf if exact else described["psnr"]
    return columns
