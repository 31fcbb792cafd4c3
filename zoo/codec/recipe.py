"""What the codec's recipes have in common."""

import dataclasses

import numpy as np

from yoto_tf.coefficients import Coefficients, LogTrapezoidal, LogUniform
from yoto_tf.data import random_patches
from yoto_tf.errors import RecipeError
from yoto_tf.loss_conditional_model import LossConditionalModel
from yoto_tf.training.fused_adam import FusedAdam
from yoto_tf.training.recipe import Recipe
from yoto_tf.zoo.codec.codec import Codec
from yoto_tf.zoo.codec.losses import rate_distortion_terms
from yoto_tf.zoo.codec.network.hyperprior import Hyperprior, ResidualHyperprior
from yoto_tf.zoo.codec.training.linear_start import start_as_linear_codec
from yoto_tf.zoo.codec.training.residual_start import start_as_residual_codec


@dataclasses.dataclass(frozen=True, kw_only=True)
class CodecRecipe(Recipe):
    """A hyperprior codec trained on patches of photographs.

    Attributes:
        filters: channels after each strided convolution; the last are the latents.
        hyper_filters: channels of the hyper-transforms.
        patch_size: side of a training patch in pixels, a multiple of 64. One of 128 has
            2×2 hyper-latents, all of them at an edge; what the hyper-transforms do
            inside of a picture is learned from larger ones only.
        film: whether λ reaches the transforms by FiLM, not the gains and the prior of
            the hyper-latents alone. A network for a fixed λ has none in any case.
        eight_bits: whether the release has its kernels in 8 bits, not 16, which takes
            half as many bytes.
        lowest_distortion: smallest λ of the log-uniform training distribution.
        highest_distortion: largest λ.
    """

    filters: tuple[int, ...] = (64, 96, 144, 192)
    hyper_filters: int = 96
    patch_size: int = 256
    film: bool = True
    eight_bits: bool = False
    lowest_distortion: float = 0.0018
    highest_distortion: float = 0.18

    def build(self):
        coefficients = self.training_coefficients(
            Coefficients(
                distortion=LogUniform(self.lowest_distortion, self.highest_distortion)
            )
        )
        try:
            network = self.network(coefficients)
        except ValueError as error:
            raise RecipeError(str(error)) from error
        return self.training_model(network)

    def network(self, coefficients):
        """The network for these coefficients, not yet built."""
        return Hyperprior(
            coefficients,
            self.filters,
            self.hyper_filters,
            conditioned=self.film and self.fixed is None,
        )

    def training_model(self, network):
        """The model that trains a network.

        λ·MSE + rate spans two decades over the range of λ; divided by sqrt(λ), the
        geometric mean of the weights, it is of one size throughout.
        """
        return LossConditionalModel(
            network,
            rate_distortion_terms,
            self.training_distribution(network.coefficients),
            normalize_weights=True,
        )

    def training_distribution(self, coefficients):
        """The coefficients to draw from in training, for those of the network."""
        return coefficients

    def batches(self, spec, first_batch):
        if not spec:
            raise RecipeError(
                "the recipe names no data, expected a folder, a glob, shards (*.tar) "
                "or tfds:NAME[:SPLIT] of photographs"
            )
        if self.patch_size < 64 or self.patch_size % 64:
            raise RecipeError(
                f"patch_size must be a multiple of 64, got {self.patch_size}"
            )
        return random_patches(
            spec, self.patch_size, self.batch_size, self.seed, first_batch
        )

    def initialise(self, model, batches):
        some = batches.with_shape(size=128, batch_size=256)
        start_as_linear_codec(model.network, np.asarray(some[0]["image"]))

    def release(self, model, directory):
        """Writes a `Codec` that `yoto_tf.zoo.load(directory)` loads."""
        card = (
            f"# Image codec\n\nA hyperprior codec for λ from "
            f"{self.lowest_distortion:g} to {self.highest_distortion:g}, trained for "
            f"{self.length('patches')} of "
            f"{self.patch_size}×{self.patch_size} pixels.\n"
        )
        codec = Codec.from_network(model.network, card, self.eight_bits)
        codec.save(directory)


@dataclasses.dataclass(frozen=True, kw_only=True)
class ResidualCodecRecipe(CodecRecipe):
    """A codec of residual blocks, see `ResidualHyperprior`.

    Attributes:
        blocks: residual blocks at 1/4, 1/8 and 1/16 of the size.
        average: momentum of the moving average of the weights, which is what is
            released (Polyak & Juditsky, 1992); 0 for none.
        slope: how much more often than in a log-uniform law the lowest λ are drawn, and
            the highest less, see `LogTrapezoidal`. What the network sees of a λ stays
            the same.
    """

    filters: tuple[int, ...] = (96, 192, 320)
    blocks: tuple[int, ...] = (1, 2, 2)
    hyper_filters: int = 128
    eight_bits: bool = True
    highest_distortion: float = 1.5
    average: float = 0.9998
    slope: float = 0.0

    def network(self, coefficients):
        return ResidualHyperprior(
            coefficients,
            self.filters,
            self.blocks,
            self.hyper_filters,
            conditioned=self.film and self.fixed is None,
        )

    def training_distribution(self, coefficients):
        if self.fixed is not None or not self.slope:
            return coefficients
        [(low, high)] = coefficients.ranges().values()
        return Coefficients(distortion=LogTrapezoidal(low, high, self.slope))

    def optimizer(self):
        return FusedAdam(
            self.schedule() if self.minutes is None else self.learning_rate,
            global_clipnorm=self.clipnorm,
            use_ema=self.average > 0,
            ema_momentum=self.average or 0.99,
        )

    def initialise(self, model, batches):
        some = batches.with_shape(size=128, batch_size=256)
        start_as_residual_codec(model.network, np.asarray(some[0]["image"]))
