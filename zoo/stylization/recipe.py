"""What the stylizer's recipes have in common."""

import dataclasses

import keras
import numpy as np

from yoto_tf.coefficients import Coefficients, LogArcsine, LogUniform
from yoto_tf.data import random_patches
from yoto_tf.errors import RecipeError
from yoto_tf.loss_conditional_model import LossConditionalModel
from yoto_tf.training.recipe import Recipe
from yoto_tf.zoo.stylization.losses import (
    CONTENT_LAYER,
    STYLE_LAYERS,
    StylizationTerms,
    gram_matrices,
)
from yoto_tf.zoo.stylization.network.style_network import STYLE_SIZE, StyleNetwork
from yoto_tf.zoo.stylization.paintings import painting_files, read_painting
from yoto_tf.zoo.stylization.stylizer import Stylizer
from yoto_tf.zoo.stylization.training.perceptual import PerceptualFeatures, read_weights
from yoto_tf.zoo.stylization.training.stability import StableTerms
from yoto_tf.zoo.stylization.training.styled_patches import StyledPatches


@dataclasses.dataclass(frozen=True, kw_only=True)
class StylizationRecipe(Recipe):
    """One style network for a folder of paintings, trained on patches of photographs.

    Attributes:
        styles: folder, glob or file of paintings; a style has the name of its file.
        features: `.npz` file of VGG weights; empty for those of Keras Applications.
        width: multiplier of the network's channels.
        blocks: its residual blocks.
        patch_size: side of a training patch in pixels.
        style_size: shorter side of a painting in pixels; larger for finer strokes.
        mixtures: share of the examples that are to take on a mixture of two styles.
        lowest: smallest coefficient. The dials are log-uniform: what counts is their
            ratios, and to the eye equal ratios are equal steps. At 1:100 a term does
            not show any more, which is what near zero means.
        highest: largest coefficient of a style term.
        content_highest: largest coefficient of the content, ten times that of a style
            term: it stands alone against several, and has the same part as all of them
            together when all dials are in the middle.
        ends: whether training draws the dials more often from near their ends, by
            `LogArcsine`. What the network sees of a setting stays the same.
        total_variation: fixed weight of the total variation.
        weave: fixed weight of the term against threads in step with the network's own
            grid, see `losses.weave`; at 0 it is left out.
        stability: fixed weight of the term against flicker in films, see
            `StableTerms`; at 0 it is left out.
        content_layer: VGG layer of the content term.
        style_layers: VGG layers of the style terms, shallow to deep.
        pooling: of the VGG network, see `PerceptualFeatures`.
    """

    styles: str = ""
    features: str = ""
    width: float = 1.0
    blocks: int = 5
    patch_size: int = 128
    style_size: int = STYLE_SIZE
    mixtures: float = 0.2
    lowest: float = 0.01
    highest: float = 1.0
    content_highest: float = 10.0
    ends: bool = False
    total_variation: float = 20.0
    weave: float = 0.0
    stability: float = 0.0
    content_layer: str = CONTENT_LAYER
    style_layers: tuple[str, ...] = STYLE_LAYERS
    pooling: str = "average"

    def build(self):
        files = painting_files(self.styles)
        network = StyleNetwork(
            self.coefficients(), files, self.width, self.blocks, upsampling="linear"
        )
        return self.training_model(network, self.terms(files.values()))

    def coefficients(self):
        """One for the content and one for each style layer."""
        numbers = range(1, len(self.style_layers) + 1)
        names = [f"style_{number}" for number in numbers]
        dials = dict.fromkeys(names, LogUniform(self.lowest, self.highest))
        content = LogUniform(self.lowest, self.content_highest)
        return self.training_coefficients(Coefficients(content=content, **dials))

    def terms(self, files, kind=StylizationTerms):
        """The loss terms for paintings, given as files in the order of the styles."""
        features = PerceptualFeatures(
            read_weights(self.features),
            (self.content_layer, *self.style_layers),
            self.pooling,
            keras.config.dtype_policy().compute_dtype,
        )
        paintings = (read_painting(file, self.style_size) for file in files)
        grams = gram_matrices(features, paintings)
        # A trace is the mean squared length of a painting's features.
        energy = np.trace(grams[self.content_layer], axis1=1, axis2=2).mean()
        return kind(
            features,
            grams,
            float(energy),
            self.content_layer,
            self.style_layers,
            self.total_variation,
            self.weave,
        )

    def training_model(self, network, terms):
        """The model that trains a network on loss terms.

        Weights that span two decades are divided by their geometric mean, so that every
        setting has a like part in the gradient.
        """
        if self.stability:
            terms = StableTerms(terms, network, self.stability)
        return LossConditionalModel(
            network,
            terms,
            self.training_distribution(network.coefficients),
            balance=0.99,
            normalize_weights=self.fixed is None,
        )

    def training_distribution(self, dials):
        """The coefficients to draw from in training, for a network's dials."""
        if self.fixed is not None or not self.ends:
            return dials
        laws = {
            name: LogArcsine(low, high) for name, (low, high) in dials.ranges().items()
        }
        return Coefficients(**laws)

    def batches(self, spec, first_batch):
        count = len(painting_files(self.styles))
        return StyledPatches(
            self.patches(spec, first_batch),
            count,
            self.mixtures,
            copied=self.stability > 0,
        )

    def patches(self, spec, first_batch):
        """The photographs' patches."""
        if not spec:
            raise RecipeError(
                "the recipe names no data, expected a folder, a glob, shards (*.tar) "
                "or tfds:NAME[:SPLIT] of photographs"
            )
        return random_patches(
            spec, self.patch_size, self.batch_size, self.seed, first_batch
        )

    def release(self, model, directory):
        """Writes a `Stylizer` that `yoto_tf.zoo.load(directory)` loads."""
        styles, size = model.network.styles, self.patch_size
        card = (
            f"# Style transfer\n\nOne network for {len(styles)} styles "
            f"({', '.join(styles)}), trained for "
            f"{self.length('patches')} of {size}×{size} pixels.\n"
        )
        Stylizer.from_network(model.network, card).save(directory)
