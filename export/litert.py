"""Models for LiteRT (TensorFlow Lite), on phones and other devices.

    float16/NAME.tflite     one file a signature, of the same name. Weights are float16
    int8/NAME.tflite        and int8 (dynamic-range quantisation); both compute float32
    yoto.json               see `yoto_tf.export.manifest`; "files" has their bytes
    release/ or model.keras as in `yoto_tf.export.saved_model`

They need LiteRT's built-in ops and no others. The arithmetic that chooses a codec's
tables is not quantised: it stays exact, see `yoto_tf.export.families.exact_integers`.
"""

import dataclasses
import itertools
import re
import tempfile

from tqdm import tqdm

from yoto_tf.errors import RecipeError
from yoto_tf.export.families import describe
from yoto_tf.export.manifest import manifest
from yoto_tf.export.new_folder import new_folder
from yoto_tf.export.saved_model import check_backend, save_functions
from yoto_tf.export.sizes import with_sizes
from yoto_tf.machine.muted_stderr import muted_stderr

PRECISIONS = ("float16", "int8")


def write(model, directory, batch=None, height=None, width=None):
    """Writes files for LiteRT.

    Args:
        model: what `write_saved_model` takes.
        directory: the folder to write; it may exist if it is empty.
        batch, height, width: of the pictures, integers ≥ 1. Sizes that are left out
            are chosen later, with the interpreter's `resize_tensor_input`.

    Raises:
        RecipeError: a model that cannot be exported or needs other ops, sizes that do
            not suit it, or another backend than TensorFlow's.
        DataError: the folder cannot be written or is not empty.
    """
    check_backend()
    exportable = _for_devices(with_sizes(describe(model), batch, height, width))
    with new_folder(directory) as folder, tempfile.TemporaryDirectory() as saved_model:
        save_functions(exportable, saved_model)
        pairs = list(itertools.product(PRECISIONS, exportable.endpoints))
        files = {}
        for precision, name in tqdm(pairs, unit="file", delay=1, disable=None):
            content = _converted(saved_model, name, precision)
            path = f"{precision}/{name}.tflite"
            (folder / precision).mkdir(exist_ok=True)
            (folder / path).write_bytes(content)
            files[path] = len(content)
        (folder / "yoto.json").write_bytes(manifest(exportable, files=files))
        exportable.write_keras(folder)


def _for_devices(exportable):
    names = exportable.on_devices or exportable.endpoints
    endpoints = {name: exportable.endpoints[name] for name in names}
    return dataclasses.replace(exportable, endpoints=endpoints, default=None)


def _converted(saved_model, name, precision):
    """A signature of a SavedModel as the content of a file."""
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_saved_model(
        saved_model, signature_keys=[name]
    )
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if precision == "float16":
        converter.target_spec.supported_types = [tf.float16]
    try:
        # It prints useless warnings, and errors that it raises as well.
        with muted_stderr():
            return converter.convert()
    except Exception as error:
        # The compiler's message has many lines.
        text = str(error).strip()
        ops = sorted(set(re.findall(r"'tf\.(\w+)' op ", text)))
        reason = f"no such op as {', '.join(ops)}" if ops else text.partition("\n")[0]
        raise RecipeError(f"LiteRT cannot run {name}: {reason}") from error
