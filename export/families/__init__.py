"""What there is to export of each family: one module with a `describe` for each.

`describe(model)` returns an `Exportable`, which knows nothing of formats; the targets
know nothing of families.
"""

import importlib
import importlib.util

from yoto_tf.errors import RecipeError


def describe(model):
    """The `Exportable` of a model.

    Args:
        model: an object of the zoo, a `yoto_tf.LossConditionalModel`, or whatever else
            has a `network` and its `coefficients`.

    Raises:
        RecipeError: something else, or a model that cannot be exported.
    """
    release = getattr(model, "release", None)
    if release is not None and hasattr(release, "family"):
        module = f"{__name__}.{release.family}"
        if importlib.util.find_spec(module) is None:
            raise RecipeError(f"the family {release.family} has no export yet")
        return importlib.import_module(module).describe(model)
    if hasattr(model, "network") and hasattr(model, "coefficients"):
        return importlib.import_module(f"{__name__}.your_own").describe(model)
    raise RecipeError(
        f"cannot export a {type(model).__name__}, expected a model of the zoo, a "
        "LossConditionalModel, or a Keras network with coefficients=..."
    )
