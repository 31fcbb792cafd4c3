"""SavedModels that XLA compiles, for TPUs among others.

Every shape is fixed, and every function is compiled as a whole (`jit_compile`). Inputs
and outputs are float32; the networks compute in bfloat16 where they allow it. The
choice of a codec's tables stays exact, see `yoto_tf.export.families.exact_integers`.

    saved_model.pb, fingerprint.pb, variables/, assets/yoto.json
    release/ or model.keras     as in `yoto_tf.export.saved_model`
"""

from yoto_tf.errors import RecipeError
from yoto_tf.export.families import describe
from yoto_tf.export.new_folder import new_folder
from yoto_tf.export.saved_model import check_backend, save_functions
from yoto_tf.export.sizes import free_sizes, with_sizes

PRECISION = "mixed_bfloat16"


def write(model, directory, batch=1, height=None, width=None):
    """Writes a SavedModel for TPUs.

    Args:
        model: what `write_saved_model` takes. A model of the zoo computes in bfloat16;
            any other network in the precision that it was made with.
        directory: the folder to write; it may exist if it is empty.
        batch, height, width: of the pictures, integers ≥ 1. Height and width may be
            left out where the model has its own.

    Raises:
        RecipeError: a model that cannot be exported, sizes that are missing or do not
            suit it, or another backend than TensorFlow's.
        DataError: the folder cannot be written or is not empty.
    """
    check_backend()
    if hasattr(model, "release"):
        model = type(model)(model.release, precision=PRECISION)
    exportable = with_sizes(describe(model), batch, height, width)
    free = free_sizes(exportable)
    wanted = [name for name in ("height", "width") if name[0].upper() in free]
    if wanted:
        raise RecipeError(
            f"{exportable.name} takes pictures of any {' and '.join(wanted)}, expected "
            f"{' and '.join(wanted)} of yours: XLA compiles for fixed shapes"
        )
    if free:
        raise RecipeError(
            f"{exportable.name} leaves a size open that is no batch, height or width, "
            "expected a network that fixes it: XLA compiles for fixed shapes"
        )
    with new_folder(directory) as folder:
        save_functions(exportable, folder, jit_compile=True)
        exportable.write_keras(folder)
