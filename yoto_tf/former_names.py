"""Names that 0.1 showed in its README, guides and notebooks, and what they are now.

They go on working, with a DeprecationWarning, until version 0.3.
"""

import importlib.machinery
import types
import warnings

from yoto_tf.resolver import resolve

# {name in 0.1: name now}. A name after a colon was in a module whose own name now means
# another module, or whose contents lie in several.
FORMER = {
    "yoto_tf.contact_sheet": "yoto_tf.imaging.contact_sheet",
    "yoto_tf.engine": "yoto_tf.training.engine",
    "yoto_tf.metrics": "yoto_tf.imaging.metrics",
    "yoto_tf.recipe": "yoto_tf.training.recipe",
    "yoto_tf.recipe:load_recipe": "yoto_tf.zoo.recipes:load_recipe",
    "yoto_tf.schedules": "yoto_tf.training.schedules",
    "yoto_tf.training:LossConditionalModel": (
        "yoto_tf.loss_conditional_model:LossConditionalModel"
    ),
    "yoto_tf.training:Objective": "yoto_tf.loss_conditional_model:Objective",
    "yoto_tf.zoo.demo": "yoto_tf.demo.demonstration",
    "yoto_tf.zoo.demo:photograph": "yoto_tf.data:photograph",
    "yoto_tf.zoo.stylization:Transformer": "yoto_tf.zoo.stylization:StyleNetwork",
    "yoto_tf.zoo.vae.grids": "yoto_tf.imaging.grids",
}


def former(module, name):
    """What `name` was in `module`, with a warning that says where it is now.

    To be called by the module's own `__getattr__`, so that the warning points to the
    line that uses the name.

    Raises:
        AttributeError: 0.1 had no such name either.
    """
    now = FORMER.get(f"{module}:{name}")
    if now is None and module in FORMER and not name.startswith("__"):
        now = f"{FORMER[module]}:{name}"
    try:
        found = resolve(now or "")
    except (AttributeError, ValueError):
        raise AttributeError(f"module {module!r} has no attribute {name!r}") from None
    warnings.warn(
        f"{module}.{name} is now {now.replace(':', '.')}; the former name works until "
        "version 0.3",
        DeprecationWarning,
        stacklevel=3,
    )
    return found


def find_spec(module):
    """The `ModuleSpec` of a module's former name, or None."""
    if module not in FORMER:
        return None
    return importlib.machinery.ModuleSpec(module, _Loader)


class _Loader:
    @staticmethod
    def create_module(spec):
        module = types.ModuleType(spec.name, f"Now `{FORMER[spec.name]}`.")
        module.__getattr__ = lambda name: former(spec.name, name)
        return module

    @staticmethod
    def exec_module(module):
        """It has nothing of its own."""
