"""Models for machines without this library: servers, Hubs, accelerators, devices.

>>> import yoto_tf as yoto
>>> yoto.export.export("codec", "exported/codec")

Nothing that takes long to import is imported before it is needed.
"""

import inspect
import os

from yoto_tf.errors import RecipeError
from yoto_tf.resolver import resolve

__all__ = ["TARGETS", "export"]

# {target: (module, its function of model, path and the target's own options)}. A new
# target is one module and one line here.
TARGETS = {
    "saved-model": ("yoto_tf.export.saved_model", "write_saved_model"),
    "hub": ("yoto_tf.export.hub", "write"),
    "serving": ("yoto_tf.export.serving", "write"),
    "tpu": ("yoto_tf.export.tpu", "write"),
    "litert": ("yoto_tf.export.litert", "write"),
    "onnx": ("yoto_tf.export.onnx", "write"),
    "web": ("yoto_tf.export.web", "write"),
    "huggingface": ("yoto_tf.export.hugging_face", "write"),
}


def export(model, path, target="saved-model", *, coefficients=None, **options):
    """Exports a model, with its coefficients as an input.

    Args:
        model: a pretrained name, the directory of a release or a handle, as for
            `yoto_tf.zoo.load`; an object of the zoo, such as
            `yoto_tf.zoo.codec.Codec`; a `yoto_tf.LossConditionalModel`; or the Keras
            network in one, with its coefficients.
        path: the folder to write. What is in it depends on the target. For the target
            "huggingface" also `hf://OWNER/NAME`, a repository to upload to.
        target: one of `TARGETS`.
        coefficients: the `yoto_tf.Coefficients` of a Keras network; otherwise None.
        **options: of the target's function.

    Returns:
        What the target's function returns.

    Raises:
        RecipeError: an unknown target, model or option, or a model that cannot be
            exported.
        DataError: the folder cannot be written or is in use.
    """
    if target not in TARGETS:
        raise RecipeError(
            f"unknown export target {target!r}, expected one of {', '.join(TARGETS)}"
        )
    write = _function(target)
    for option in options:
        if option not in _options(target):
            raise _unknown_option(target, option)
    if coefficients is not None:
        from yoto_tf.export.families.your_own import ConditionedNetwork

        model = ConditionedNetwork(model, coefficients)
    elif isinstance(model, (str, os.PathLike)):
        from yoto_tf import zoo

        model = zoo.load(model)
    return write(model, path, **options)


def _function(target):
    return resolve(":".join(TARGETS[target]))


def _options(target):
    """Names of what its function takes besides model and path."""
    return list(inspect.signature(_function(target)).parameters)[2:]


def _unknown_option(target, option):
    """The error, which says whose option it is."""
    owners = [other for other in TARGETS if option in _options(other)]
    if owners:
        hint = f"it is for {', '.join(owners)}"
    else:
        hint = f"expected {', '.join(_options(target)) or 'none'}"
    return RecipeError(f"target {target} has no option {option!r}, {hint}")
