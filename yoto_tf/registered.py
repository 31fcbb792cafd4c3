"""The classes that Keras must find when it loads a saved model.

A `.keras` file names its classes by what they are registered under, and Keras finds
those whose module has been imported. So that `import yoto_tf` is enough, and stays
fast, Keras is told of each class here: its module is imported when a file names it.
"""

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

    registry = get_custom_objects()
    for module, names in CLASSES.items():
        for name in names:
            registry.setdefault(f"yoto_tf>{name}", _Unimported(module, name))
