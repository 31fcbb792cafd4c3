"""More latents for a trained codec, which otherwise stays as it is.

A codec that was trained with few latents cannot be good at high rates: even without
rounding, 192 of them for 768 numbers lose more than the largest λ allows. Training is
long, so that the codec with more begins as the trained one. Its new latents are the
linear functions of the analysis' last features that tell most of what the trained codec
loses (a reduced-rank regression: Izenman, "Reduced-rank regression for the multivariate
linear model", 1975); the synthesis does not listen to them before it has learned to, so
that at first pictures are what they were.
"""

import dataclasses

import numpy as np
from keras import ops

from yoto_tf import zoo
from yoto_tf.errors import RecipeError
from yoto_tf.zoo.codec.linear_start import linear_gain
from yoto_tf.zoo.codec.network import CONTRAST, channelwise
from yoto_tf.zoo.codec.recipe import CodecRecipe
from yoto_tf.zoo.release import set_weights, weights_by_path

# Where on the dial, from 0 to 1, the trained codec's losses are looked at: towards the
# high rates, which are to gain.
_POSITION = 0.85
_RIDGE = 1e-3
_BATCH = 16


@dataclasses.dataclass(frozen=True, kw_only=True)
class MoreLatentsRecipe(CodecRecipe):
    """A codec that begins as a trained one with fewer latents.

    Attributes:
        base: the trained codec, a pretrained name or the directory of a release, alike
            in all but the last of `filters`.
    """

    base: str = "codec"

    def initialise(self, model, batches):
        some = batches.with_shape(size=128, batch_size=256)
        release = zoo.release_of(self.base)
        start_with_fewer_latents(model.network, release, np.asarray(some[0]["image"]))


def start_with_fewer_latents(network, release, patches):
    """Sets the initial weights of a built `Hyperprior` in place.

    Args:
        network: a `Hyperprior`.
        release: the `Release` of one with fewer latents and otherwise the same.
        patches: images [N, H, W, 3] in [0, 1], H and W multiples of 64; a few hundred
            of 128×128 are plenty.

    Raises:
        RecipeError: the release differs in more than that.
    """
    trained = release.network()
    own, old = network.get_config(), trained.get_config()
    latents = old["filters"][-1]
    filters = (*old["filters"][:-1], own["filters"][-1])
    if {**old, "filters": filters, "name": own["name"]} != own:
        raise RecipeError(
            f"the recipe builds {_brief(network)}, the trained codec has "
            f"{_brief(trained)}: "
            "expected the same but for the number of latents, the last of the filters"
        )
    count = filters[-1] - latents
    if count <= 0:
        raise RecipeError(
            f"the trained codec has {latents} latents, the recipe {filters[-1]}: "
            "expected more"
        )
    kernel, bias, deviations, like = _new_latents(trained, patches, count)
    slope, middle = linear_gain(network.coefficients)
    new = {
        "analysis/convolution_3/kernel": kernel,
        "analysis/convolution_3/bias": bias,
    }
    for name, sign in (("log_gain", 1), ("log_inverse_gain", -1)):
        strength = getattr(network, name).strength
        shape = network.embedding.compute_output_shape((1, 1))[-1], len(bias)
        new[f"{name}/dense/kernel"] = np.zeros(shape)
        new[f"{name}/dense/kernel"][0] = sign * slope / strength
        new[f"{name}/dense/bias"] = np.full(len(bias), sign * middle / strength)
    # Where one latent varies much, so does its like.
    tower = "scale_synthesis/convolution_2"
    shift = np.log(deviations[latents:] / deviations[:latents][like])
    new[f"{tower}/kernel"] = release.weights[f"{tower}/kernel"][..., like]
    new[f"{tower}/bias"] = release.weights[f"{tower}/bias"][like] + shift
    set_weights(network, _widened(release.weights, network, new))


def _brief(network):
    [(low, high)] = network.coefficients.ranges().values()
    fields = ("filters", "hyper_filters", "embedding_units", "conditioned")
    own = (f"{name} {getattr(network, name)}" for name in fields)
    return ", ".join([*own, f"λ from {low:g} to {high:g}"])


def _new_latents(trained, patches, count):
    """The kernel and bias of `count` more latents, and what is known of all.

    Returns:
        float64 kernel [5, 5, C, count] and bias [count]; the deviations of all latents
        [L + count]; and for each new latent the old one whose size goes most with its.
    """
    analysis = trained.analysis
    features, latents, losses = [], [], []
    vector = ops.convert_to_tensor(trained.coefficients.at(_POSITION)[None])
    for begin in range(0, len(patches), _BATCH):
        batch = np.asarray(patches[begin : begin + _BATCH], "float32")
        found = _features_latents_losses(trained, batch, vector)
        for array, into in zip(found, (features, latents, losses), strict=True):
            into.append(ops.convert_to_numpy(array))
    blocks = _blocks(np.concatenate(features), 2)
    losses = _blocks(np.concatenate(losses), 16)
    latents = np.concatenate(latents)
    latents = latents.reshape(-1, latents.shape[-1]).astype("float64")
    known = np.concatenate([latents, np.ones((len(latents), 1))], axis=1)
    # What the blocks hold that the latents do not tell already.
    told = _regression(known, blocks)
    untold = blocks - known @ told
    fit = _regression(untold, losses)
    predicted = untold @ fit
    directions = np.linalg.eigh(predicted.T @ predicted)[1][:, ::-1][:, :count]
    taps = fit @ directions
    old = analysis.convolutions[-1]
    kernel = -np.tensordot(ops.convert_to_numpy(old.kernel), (told @ taps)[:-1], 1)
    kernel[1:3, 1:3] += taps.reshape(2, 2, -1, count)
    bias = -ops.convert_to_numpy(old.bias) @ (told @ taps)[:-1] - (told @ taps)[-1]
    values = np.concatenate([latents, untold @ taps], axis=1)
    sizes = np.log(np.abs(values) + values.std(axis=0) / 10)
    alike = np.corrcoef(sizes.T)[latents.shape[1] :, : latents.shape[1]]
    return kernel, bias, values.std(axis=0) + 1e-4, alike.argmax(axis=1)


def _features_latents_losses(trained, images, vector):
    """Of the last convolution of the analysis: inputs, outputs; and what gets lost."""
    embedding = trained.embedding(ops.repeat(vector, len(images), axis=0))
    features = trained.analysis.inner((images - 0.5) * CONTRAST, embedding)
    latents = trained.analysis.convolutions[-1](features)
    scaled = latents * channelwise(ops.exp(trained.log_gain(embedding)))
    losses = (images - trained.synthesize(scaled, embedding)) * CONTRAST
    return features, latents, losses


def _blocks(array, side):
    """[N, H, W, C] to float64 [blocks, side · side · C]."""
    count, height, width, channels = array.shape
    array = array.reshape(
        count, height // side, side, width // side, side, channels
    ).transpose(0, 1, 3, 2, 4, 5)
    return array.reshape(-1, side * side * channels).astype("float64")


def _regression(inputs, outputs):
    """The matrix M of least squares, outputs ≈ inputs @ M, a little shrunk."""
    moments = inputs.T @ inputs
    ridge = _RIDGE * np.trace(moments) / len(moments)
    return np.linalg.solve(moments + ridge * np.eye(len(moments)), inputs.T @ outputs)


def _widened(weights, network, new):
    """Stored weights with entries after the last along the axis that is longer."""
    widened = {}
    for path, weight in weights_by_path(network).items():
        old = weights[path].astype("float64")
        shape = tuple(weight.shape)
        for axis, (length, wanted) in enumerate(zip(old.shape, shape, strict=True)):
            if length < wanted:
                missing = (*old.shape[:axis], wanted - length, *old.shape[axis + 1 :])
                entries = new.get(path, np.zeros(missing))
                old = np.concatenate([old, entries], axis=axis)
        widened[path] = old
    return widened
