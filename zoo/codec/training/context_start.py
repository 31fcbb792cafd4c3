"""Starts a codec with a context from the weights of one without."""

from yoto_tf.errors import RecipeError
from yoto_tf.zoo.quantization import dequantize
from yoto_tf.zoo.release import Release, set_weights


def start_from_hyperprior(network, release):
    """Sets the weights of a built `ContextHyperprior` in place.

    Its context starts as it is, with no correction: both networks then make the same
    latents of a picture, and the same pictures of these.

    Args:
        network: the network.
        release: the `Release` of a `ResidualHyperprior` with the same channels, blocks
            and range of λ.

    Raises:
        RecipeError: a release of another kind or shape of network.
    """
    expected = "ResidualHyperprior"
    if release.config["class_name"] != expected:
        raise RecipeError(
            f"a context is added to a {expected}, the pretrained model is a "
            f"{release.config['class_name']}"
        )
    ranges = network.coefficients.ranges()
    if release.ranges != ranges:
        raise RecipeError(
            f"the recipe is for λ in {ranges}, the pretrained model for "
            f"{release.ranges}"
        )
    own = Release.from_network(release.family, network).weights
    set_weights(network, {**own, **dequantize(release.weights)})
