"""What there is to export of each family: one module with a `describe` for each.

`describe(model)` returns an `Exportable`, which knows nothing of formats; the targets
know nothing of families. Which function describes a family's models is in
`yoto_tf.zoo.families`.
"""

from yoto_tf.errors import RecipeError
from yoto_tf.zoo.families import family_named


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
        describe_released = family_named(release.family).resolve("export")
        if describe_released is None:
            raise RecipeError(f"the family {release.family} has no export")
        return describe_released(model)
    if hasattr(model, "network") and hasattr(model, "coefficients"):
        from yoto_tf.export.families import your_own

        return your_own.describe(model)
    raise RecipeError(
        f"cannot export a {type(model).__name__}, expected a model of the zoo, a "
        "LossConditionalModel, or a Keras network with coefficients=..."
    )
