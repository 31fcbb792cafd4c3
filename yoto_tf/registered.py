"""The classes that Keras must find when it loads a saved model.

A `.keras` file names its classes by what they are registered under, and Keras finds
those whose module has been imported. So that `import yoto_tf` is enough, and stays
fast, Keras is told of each class here: its module is imported when a file names it.

Some classes can be made, and are used, where Keras is not installed. The decorator
`registered` tells Keras of them once it is imported; `deserialize` needs no Keras for
them.
"""

import sys

from yoto_tf.resolver import resolve

# {module: the classes that it registers, in the package "yoto_tf"}.
CLASSES = {
    "yoto_tf.annealing": ("Annealed",),
    "yoto_tf.coefficients": ("Coefficients",),
    "yoto_tf.conditional_network": ("ConditionalNetwork",),
    "yoto_tf.distributions": (
        "Dirichlet",
        "Discrete",
        "Fixed",
        "LogArcsine",
        "LogTrapezoidal",
        "LogUniform",
        "Uniform",
    ),
    "yoto_tf.entropy.deep_factorized": ("DeepFactorizedPrior",),
    "yoto_tf.entropy.gaussian_conditional": ("GaussianConditional",),
    "yoto_tf.entropy.laplace_conditional": ("LaplaceConditional",),
    "yoto_tf.layers.coefficient_embedding": ("CoefficientEmbedding",),
    "yoto_tf.layers.conditional_batch_normalization": (
        "ConditionalBatchNormalization",
    ),
    "yoto_tf.layers.conditional_instance_normalization": (
        "ConditionalInstanceNormalization",
    ),
    "yoto_tf.layers.film": ("FiLM",),
    "yoto_tf.layers.gate": ("Gate",),
    "yoto_tf.layers.gdn": ("GDN",),
    "yoto_tf.layers.lora": ("LoRA",),
    "yoto_tf.objectives.weighting": ("Weighting",),
    "yoto_tf.scalarization": ("COSMOS", "Tchebycheff", "WeightedSum"),
    "yoto_tf.training.fused_adam": ("FusedAdam",),
    "yoto_tf.training.schedules": ("WarmupStableDecay",),
    "yoto_tf.loss_conditional_model": ("LossConditionalModel",),
}


_PACKAGE = "yoto_tf"
# {name in Keras' registry: class} of those that are `registered`.
_WITHOUT_KERAS = {}


def registered(cls):
    """Decorates a class that Keras is to know as soon as Keras is imported."""
    _WITHOUT_KERAS[f"{_PACKAGE}>{cls.__name__}"] = cls
    if "keras.saving" in sys.modules:
        _tell_keras(cls)
    return cls


def serialize(value):
    """A dict of an object, as Keras serialises it; needs Keras."""
    from keras.saving import serialize_keras_object

    return serialize_keras_object(value)


def deserialize(serialized):
    """The object that `serialize` was given; of `registered` classes without Keras."""
    known = _WITHOUT_KERAS.get(serialized.get("registered_name"))
    if known is not None:
        return known.from_config(serialized["config"])
    from keras.saving import deserialize_keras_object

    return deserialize_keras_object(serialized)


def _tell_keras(cls):
    from keras.saving import register_keras_serializable

    register_keras_serializable(_PACKAGE)(cls)


class _Unimported:
    """Stands for a class in Keras' registry until its module is imported."""

    def __init__(self, module, name):
        self._module, self._name = module, name

    def from_config(self, config):
        """An object of the class, which takes this place in the registry now."""
        return resolve(f"{self._module}:{self._name}").from_config(config)


def register():
    """Tells Keras, which has been imported, of the classes."""
    from keras.saving import get_custom_objects

    for cls in _WITHOUT_KERAS.values():
        _tell_keras(cls)
    registry = get_custom_objects()
    for module, names in CLASSES.items():
        for name in names:
            registry.setdefault(f"{_PACKAGE}>{name}", _Unimported(module, name))
