"""A stylizer that nobody trained, on any backend."""

STYLES = ("checks", "dots", "stripes")
# Channels of each layer of a VGG network that is small enough for tests.
VGG = {
    "block1_conv1": 6,
    "block1_conv2": 6,
    "block2_conv1": 8,
    "block2_conv2": 8,
    "block3_conv1": 10,
    "block3_conv2": 10,
    "block3_conv3": 10,
}


def random_style_network(rng, upsampling="linear", style_encoder=False):
    """A small built `StyleNetwork` whose conditioning is far from its start."""
    import keras

    from yoto_tf import Coefficients, LogUniform
    from yoto_tf.zoo.stylization import StyleNetwork

    keras.utils.set_random_seed(0)
    names = ("content", "style_1", "style_2", "style_3", "style_4")
    coefficients = Coefficients(**dict.fromkeys(names, LogUniform(0.01, 1.0)))
    network = StyleNetwork(coefficients, STYLES, 0.125, 2, 8, upsampling, style_encoder)
    network.build(None)
    for weight in network.trainable_variables:
        if "convolution" not in weight.path and "colors" not in weight.path:
            weight.assign(weight + rng.normal(0, 0.3, weight.shape))
    return network
