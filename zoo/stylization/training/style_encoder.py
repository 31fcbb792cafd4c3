"""A style encoder for a trained stylizer; what it painted before stays bit for bit.

Everything is frozen but the encoder, which is shown another picture with every
photograph: a part of a painting, often in other colours. What the stylizer makes of the
style that it predicts has to have the Gram matrices of that part.
"""

import dataclasses

import keras
import numpy as np
from PIL import Image

from yoto_tf.training.recipe import option
from yoto_tf.zoo.quantization import dequantize
from yoto_tf.zoo.stylization.losses import StylizationTerms, gram_matrix
from yoto_tf.zoo.stylization.network.style_encoder import StyleEncoder
from yoto_tf.zoo.stylization.paintings import painting_files, read_painting
from yoto_tf.zoo.stylization.recipe import StylizationRecipe
from yoto_tf.zoo.stylization.styles import stylizer_release, vector_of
from yoto_tf.zoo.stylization.stylizer import Stylizer
from yoto_tf.zoo.stylization.training.styled_patches import BesidePatches


@dataclasses.dataclass(frozen=True, kw_only=True)
class StyleEncoderRecipe(StylizationRecipe):
    """A style encoder, trained with a stylizer that is frozen.

    Attributes:
        base: the stylizer: a pretrained name or the directory of a release. Its width
            and blocks are taken, not the recipe's. If it has a style encoder, that is
            trained on.
        styles: paintings to show, which need not be the stylizer's own styles; some
            photographs among them are styles as well.
        shown_size: side of the part that is shown, in pixels.
        recolored: share of the examples that are shown a painting in other colours.
    """

    base: str = option(
        "--from",
        "NAME",
        "the stylizer: a pretrained name, a folder or a handle (default: stylization)",
        default="stylization",
    )
    shown_size: int = 192
    recolored: float = 0.4

    def build(self):
        release = with_style_encoder(stylizer_release(self.base), self.seed)
        network = release.network(keras.config.dtype_policy().name)
        own = {id(weight) for weight in network.style_encoder.weights}
        for weight in network.weights:
            weight.trainable = id(weight) in own
        terms = self.terms(painting_files(self.styles).values(), ShownStyle)
        return self.training_model(AsShown(network), terms)

    def batches(self, spec, first_batch):
        paintings = [
            read_painting(file, self.style_size)
            for file in painting_files(self.styles).values()
        ]
        return ShownStyles(
            self.patches(spec, first_batch),
            paintings,
            self.shown_size,
            self.recolored,
        )

    def release(self, model, directory):
        """Writes a `Stylizer` with a style encoder."""
        card = stylizer_release(self.base).card
        Stylizer.from_network(model.network.network, card).save(directory)


def with_style_encoder(release, seed=0):
    """The release of a stylizer with a style encoder; the same one if it has one.

    A new encoder predicts about the mean of the styles there are.
    """
    if release.config["config"].get("style_encoder"):
        return release
    config = {**release.config["config"], "style_encoder": True}
    weights = dequantize(release.weights)
    rows = [vector_of(weights, style) for style in config["styles"]]
    keras.utils.set_random_seed(seed)
    encoder = StyleEncoder(len(rows[0]), name="style_encoder")
    encoder.build(None)
    encoder.style.bias.assign(np.mean(rows, axis=0))
    new = {
        weight.path: keras.ops.convert_to_numpy(weight) for weight in encoder.weights
    }
    return dataclasses.replace(
        release,
        config={**release.config, "config": config},
        weights={**weights, **new},
        former_ids=(),
    )


class AsShown(keras.Model):
    """A stylizer that is shown a painting in place of a style's name.

    Args:
        network: a `StyleNetwork` with a style encoder.

    Inputs: those of the network, with "painting": [B, h, w, 3] for "style".
    """

    def __init__(self, network):
        super().__init__(autocast=False)
        self.network = network
        self.coefficients = network.coefficients

    def build(self, input_shape=None):
        self.built = True

    def call(self, inputs, training=False):
        style = self.network.predict_style(inputs["painting"])
        asked = {name: inputs[name] for name in ("image", "coefficients")}
        return self.network({**asked, "style": style}, training=training)


class ShownStyle(StylizationTerms):
    """`StylizationTerms` whose style is that of each example's own painting."""

    def targets(self, inputs):
        shown = self.features(inputs["painting"], {*self.style_layers})
        return {layer: gram_matrix(shown[layer]) for layer in self.style_layers}


class ShownStyles(BesidePatches):
    """Patches of photographs, each with a picture whose style it is to take on.

    Batch `i` depends on the seed and `i` alone, see `Patches`.

    Args:
        patches: `Patches`; their seed is that of what is shown too.
        paintings: list of uint8 [H, W, 3], both sides at least `size`.
        size: side of the part of a painting that is shown, in pixels.
        recolored: probability that it is shown in other colours.

    Batches:
        `{"image": float32 [B, P, P, 3], "painting": float32 [B, size, size, 3]}` in
        [0, 1].
    """

    def __init__(self, patches, paintings, size, recolored=0.0):
        super().__init__(patches)
        self.paintings = paintings
        self.size = size
        self.recolored = recolored

    def __getitem__(self, index):
        patches = self.patches
        places = range(patches.batch_size)[self.places(patches.batch_size)]
        # Each place has pictures of its own, whoever makes it.
        seed = (patches.seed, patches.first_batch + index, 2)
        shown = [self._shown(np.random.default_rng((*seed, n))) for n in places]
        return {**patches[index], "painting": np.stack(shown)}

    def _shown(self, random):
        painting = self.paintings[random.integers(len(self.paintings))]
        # At one to two times its scale: paintings have strokes of many sizes.
        side = random.integers(self.size // 2, self.size + 1)
        top, left = (random.integers(n - side + 1) for n in painting.shape[:2])
        part = Image.fromarray(painting[top : top + side, left : left + side])
        part = part.resize((self.size, self.size), Image.Resampling.BICUBIC)
        part = np.asarray(part, "float32") / np.float32(255)
        if random.random() < 0.5:
            part = part[:, ::-1]
        return recolored(part, random) if random.random() < self.recolored else part


def recolored(image, random):
    """A picture in other colours: channels exchanged, each with another gamma.

    Args:
        image: float32 [H, W, 3] in [0, 1].
        random: a NumPy generator.
    """
    image = image[..., random.permutation(3)]
    if random.random() < 0.25:
        image = 1 - image
    return image ** np.exp(random.normal(0, 0.4, 3).astype("float32"))
