"""Models for machines without this library: servers, Hubs, accelerators, devices.

>>> import yoto_tf as yoto
>>> yoto.export.export("codec", "exported/codec")

Nothing that takes long to import is imported before it is needed.
"""

import importlib
import inspect

from yoto_tf.errors import RecipeError

__all__ = ["TARGETS", "export"]

# {target: (module, its function of model, path and the target's own options)}. A new
# target is one module and one line here.
TARGETS = {
    "saved-model": ("yoto_tf.export.saved_model", "write_saved_model"),
    "hub": ("yoto_tf.export.hub", "write"),
    "serving": ("yoto_tf.export.serving", "write"),
    "tpu": ("yoto_tf.export.tpu", "write"),
    "litert": ("yoto_tf.export.litert", "write"),
    "web": ("yoto_tf.export.web", "write"),
}


def export(model, path, target="saved-model", *, coefficients=None, **options):
    """Exports a model, with its coefficients as an input.

    Args:
        model: a pretrained name or the directory of a release; an object of the zoo,
            such as `yoto_tf.zoo.codec.Codec`; a `yoto_tf.LossConditionalModel`; or the
            Keras network in one, with its coefficients.
        path: the folder to write. What is in it depends on the target.
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
    module, name = TARGETS[target]
    write = getattr(importlib.import_module(module), name)
    known = list(inspect.signature(write).parameters)[2:]
    for option in options:
        if option not in known:
            raise RecipeError(
                f"target {target} has no option {option!r}, expected "
                f"{', '.join(known) or 'none'}"
            )
    if coefficients is not None:
        from yoto_tf.export.families.your_own import ConditionedNetwork

        model = ConditionedNetwork(model, coefficients)
    elif isinstance(model, str):
        from yoto_tf import zoo

        model = zoo.load(model)
    return write(model, path, **options)
