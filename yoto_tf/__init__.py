"""Loss-conditional training: train once, turn the dial afterwards.

Everything public is listed here and loaded on first use, so that importing the package
costs little more than importing Keras.
"""

import importlib.util
import sys
from pathlib import Path

import lazy_loader

__version__ = "0.2.0"

# In a checkout zoo/ and export/ lie beside this package. An editable install finds
# them; Python started in the checkout's folder needs this path.
if not (Path(__file__).parent / "zoo").exists():
    __path__.append(str(Path(__file__).parents[1]))

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["entropy", "export", "layers", "zoo"],
    submod_attrs={
        "baking": ["bake"],
        "coefficients": [
            "Annealed",
            "Coefficients",
            "Dirichlet",
            "Discrete",
            "Fixed",
            "LogArcsine",
            "LogTrapezoidal",
            "LogUniform",
            "Uniform",
        ],
        "conditioning": ["condition", "conditionable"],
        "loss_conditional_model": ["LossConditionalModel"],
        "objectives.weighting": ["Weighting"],
        "scalarization": ["COSMOS", "Tchebycheff", "WeightedSum"],
        "tradeoff": [
            "Comparison",
            "Sweep",
            "SweepCallback",
            "affinity",
            "bd_rate",
            "compare",
            "find",
            "hypervolume",
            "non_dominated",
            "regret",
            "suggest_ranges",
            "sweep",
        ],
    },
)


def _register():
    from yoto_tf.registered import register

    register()


class _AfterKeras:
    """Tells Keras of our classes once it is imported: on `sys.meta_path` until then.

    It waits for `keras.saving`, which `import keras` imports.
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


class _QuietTensorFlow:
    """Finds TensorFlow so that it is imported without noise."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name != "tensorflow":
            return None
        from yoto_tf.machine.quiet_tensorflow import find_spec

        return find_spec(path, target)


class _FormerModules:
    """Finds modules by the names they had in 0.1; the last finder to be asked."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if not name.startswith("yoto_tf."):
            return None
        from yoto_tf.former_names import find_spec

        return find_spec(name)


sys.meta_path.append(_FormerModules)
sys.meta_path.insert(0, _QuietTensorFlow)

# Keras loads a saved model only if it knows the model's classes.
if "keras.saving" in sys.modules:
    _register()
else:
    sys.meta_path.insert(0, _AfterKeras())
