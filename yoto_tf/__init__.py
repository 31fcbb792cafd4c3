"""Loss-conditional training: train once, turn the dial afterwards.

Everything public is listed here and loaded on first use, so that importing the package
costs little more than importing Keras.
"""

import importlib
import importlib.util
import sys
from pathlib import Path

__version__ = "0.1.0"

# In a checkout zoo/ and export/ lie beside this package. An editable install knows,
# Python started in the checkout's folder would not.
if not (Path(__file__).parent / "zoo").exists():
    __path__.append(str(Path(__file__).parents[1]))

_PUBLIC = {
    "COSMOS": "yoto_tf.scalarization",
    "Coefficients": "yoto_tf.coefficients",
    "Comparison": "yoto_tf.tradeoff.comparison",
    "Dirichlet": "yoto_tf.coefficients",
    "Discrete": "yoto_tf.coefficients",
    "Fixed": "yoto_tf.coefficients",
    "LogArcsine": "yoto_tf.coefficients",
    "LogUniform": "yoto_tf.coefficients",
    "Uniform": "yoto_tf.coefficients",
    "LossConditionalModel": "yoto_tf.loss_conditional_model",
    "Sweep": "yoto_tf.tradeoff",
    "Tchebycheff": "yoto_tf.scalarization",
    "WeightedSum": "yoto_tf.scalarization",
    "bd_rate": "yoto_tf.tradeoff",
    "compare": "yoto_tf.tradeoff.comparison",
    "condition": "yoto_tf.conditioning",
    "find": "yoto_tf.tradeoff",
    "hypervolume": "yoto_tf.tradeoff",
    "non_dominated": "yoto_tf.tradeoff",
    "regret": "yoto_tf.tradeoff",
    "sweep": "yoto_tf.tradeoff",
}
_SUBPACKAGES = ("entropy", "export", "layers", "zoo")

__all__ = [*sorted(_PUBLIC), *_SUBPACKAGES]


def __getattr__(name):
    if name in _PUBLIC:
        return getattr(importlib.import_module(_PUBLIC[name]), name)
    if name in _SUBPACKAGES:
        return importlib.import_module(f"yoto_tf.{name}")
    raise AttributeError(f"module 'yoto_tf' has no attribute {name!r}")


def __dir__():
    return __all__


def _register():
    importlib.import_module("yoto_tf.registered").register()


class _AfterKeras:
    """Tells Keras of our classes once it is imported: on `sys.meta_path` until then.

    What it waits for is `keras.saving`, which `keras` imports.
    """

    def find_spec(self, name, path, target=None):
        if name != "keras.saving":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None:
            execute = spec.loader.exec_module

            def execute_and_register(module):
                execute(module)
                _register()

            spec.loader.exec_module = execute_and_register
        return spec


# Keras loads a saved model only if it knows the model's classes.
if "keras.saving" in sys.modules:
    _register()
else:
    sys.meta_path.insert(0, _AfterKeras())
