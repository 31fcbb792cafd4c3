"""SavedModels with a coefficient input, of any family.

    saved_model.pb, fingerprint.pb, variables/
    assets/yoto.json    see `yoto_tf.export.manifest`
    release/            of the zoo's models: what `yoto_tf.zoo.load` takes
    model.keras         of others: what `keras.models.load_model` takes; or
    model.weights.h5    their weights, where their class has no `get_config`
    README.md           the model's card, if it has one
    with_tfc_ops/       of codecs: a SavedModel of its own, from pictures to bytes

Every signature is an attribute too: `tf.saved_model.load(directory).stylize(inputs)`
takes and returns a dict, as a server does. The whole can be called and trained, see
`Reusable`, and so can its parts. No op but TensorFlow's own is needed.
"""

import tempfile
from pathlib import Path

import keras

from yoto_tf.errors import RecipeError
from yoto_tf.export.families import describe
from yoto_tf.export.manifest import manifest
from yoto_tf.export.new_folder import new_folder
from yoto_tf.export.sizes import with_sizes


def write_saved_model(model, directory, with_tfc_ops=True, height=None, width=None):
    """Writes a SavedModel, all of it or nothing.

    Args:
        model: an object of the zoo, a `yoto_tf.LossConditionalModel`, or whatever else
            has a Keras `network` and its `coefficients`.
        directory: the folder to write; it may exist if it is empty.
        with_tfc_ops: whether the folder of that name is written too.
        height, width: of the pictures of its signatures, in pixels, which then take a
            row of coefficients for each picture; None for any.

    Raises:
        RecipeError: a model that cannot be exported, a size that does not suit it, or
            another backend than TensorFlow's.
        DataError: the folder cannot be written or is not empty.
    """
    check_backend()
    exportable = describe(model)
    if height is not None or width is not None:
        exportable = with_sizes(exportable, None, height, width)
    with new_folder(directory) as folder:
        _save(exportable, folder)
        if with_tfc_ops and exportable.endpoints_with_tfc_ops:
            _save_with_tfc_ops(exportable, folder / "with_tfc_ops")
        exportable.write_keras(folder)
        if exportable.card:
            card = exportable.card.encode(errors="replace")
            (folder / "README.md").write_bytes(card)


def check_backend():
    """Raises RecipeError on another backend than TensorFlow's."""
    if keras.backend.backend() != "tensorflow":
        raise RecipeError(
            "a SavedModel is made on Keras' TensorFlow backend, this is "
            f"{keras.backend.backend()}: start Python with KERAS_BACKEND=tensorflow"
        )


def save_functions(exportable, folder, jit_compile=None):
    """Writes a SavedModel of the endpoints alone, which cannot be trained further.

    Args:
        exportable: an `Exportable`.
        folder: an existing one.
        jit_compile: whether XLA must compile each; None leaves it to the runtime.
    """
    import tensorflow as tf

    root = tf.Module()
    root.weights = [variable.value for variable in exportable.network.variables]
    _add_functions(root, exportable.endpoints, jit_compile)
    _save_with_manifest(root, exportable, folder)


def _save(exportable, folder):
    from yoto_tf.export.reusable import Reusable

    root = Reusable(exportable.network)
    for name, part in exportable.parts.items():
        setattr(root, name, Reusable(part))
    _add_functions(root, exportable.endpoints)
    _save_with_manifest(root, exportable, folder)


def _save_with_manifest(root, exportable, folder):
    """Saves a module that has the endpoints as attributes."""
    import tensorflow as tf

    signatures = {name: getattr(root, name) for name in exportable.endpoints}
    if exportable.default is not None:
        root.serving_default = getattr(root, exportable.default)
        signatures["serving_default"] = root.serving_default
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary, "yoto.json")
        path.write_bytes(manifest(exportable))
        # Tracked, so that a fine-tuned copy that somebody saves has it too.
        root.manifest = tf.saved_model.Asset(str(path))
        _write(root, folder, signatures)


def _save_with_tfc_ops(exportable, folder):
    import tensorflow as tf

    root = tf.Module()
    root.weights = [variable.value for variable in exportable.network.variables]
    _write(root, folder, _add_functions(root, exportable.endpoints_with_tfc_ops))


def _write(root, folder, signatures):
    """Saves a module; a full disk raises an OSError, as elsewhere in Python."""
    import tensorflow as tf

    try:
        tf.saved_model.save(root, str(folder), signatures)
    except tf.errors.OpError as error:
        # "{{function_node …}} temporary file; No space left on device [Op:SaveV2]"
        reason = error.message.partition(" [Op:")[0].rpartition("; ")[2]
        raise OSError(reason) from error


def _add_functions(root, endpoints, jit_compile=None):
    """Makes endpoints attributes of a module, and returns them by name."""
    from yoto_tf.export.reusable import as_function

    functions = {
        name: as_function(endpoint, jit_compile) for name, endpoint in endpoints.items()
    }
    for name, function in functions.items():
        setattr(root, name, function)
    return functions
