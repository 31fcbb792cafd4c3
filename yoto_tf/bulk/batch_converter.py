"""A task for pipelines of one's own: Ray Data, Beam, Spark, or a loop."""

import numpy as np

from yoto_tf.bulk.converter import COLUMNS, Converter


class BatchConverter:
    """Converts batches of pictures, with one warmed-up model in the process.

    It is what `ray.data.Dataset.map_batches` takes in the place of a function.

    Args:
        task: what to do with each, such as `yoto_tf.bulk.compression(quality=0.4)`.
        threads: how many to compute with, see `Converter`.
        path: name of the column with the inputs' names, of which the suffix counts.
        content: name of the column with their bytes, and with those of the outputs.

    Example:
        >>> pictures = ray.data.read_binary_files(folder, include_paths=True)
        >>> files = pictures.map_batches(
        ...     yoto_tf.bulk.BatchConverter,
        ...     fn_constructor_args=(yoto_tf.bulk.compression(quality=0.4),),
        ...     compute=ray.data.ActorPoolStrategy(size=2),
        ... )
    """

    def __init__(self, task, threads=1, path="path", content="bytes"):
        self._converter = Converter(task, threads)
        self._path, self._content = path, content
        self._has_outputs = task.written is not None

    def __call__(self, batch):
        """Converts a batch.

        Args:
            batch: {column: array or list}.

        Returns:
            {column: array}: the names; the outputs, None for an input that failed; and
            `"num_bytes"`, `"width"`, `"height"`, `"bpp"`, `"psnr"` (dB, infinite where
            nothing is lost), `"seconds"` and `"error"`, each None where there is none.
            An evaluation has `"points"` in the place of the outputs.
        """
        pairs = zip(batch[self._path], batch[self._content], strict=True)
        done = [self._converter(str(path), bytes(content)) for path, content in pairs]
        columns = {self._path: list(batch[self._path])}
        for name in COLUMNS:
            shown = "num_bytes" if name == "bytes" else name
            columns[shown] = [converted.row[name] for converted in done]
        if self._has_outputs:
            del columns["points"]
            columns[self._content] = [converted.content for converted in done]
        return {name: _objects(values) for name, values in columns.items()}


def _objects(values):
    """An array of these, of which none is taken for a row of numbers."""
    array = np.empty(len(values), object)
    array[:] = values
    return array
