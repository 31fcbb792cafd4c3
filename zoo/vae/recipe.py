"""What the β-VAE's recipes have in common."""

import dataclasses
import functools
from typing import Literal

from yoto_tf.coefficients import Coefficients, LogUniform
from yoto_tf.data import Examples
from yoto_tf.loss_conditional_model import LossConditionalModel
from yoto_tf.training.recipe import Recipe
from yoto_tf.zoo.vae.conv_vae import ConvVAE
from yoto_tf.zoo.vae.crops import RandomCrops, resized
from yoto_tf.zoo.vae.likelihoods import LIKELIHOODS
from yoto_tf.zoo.vae.pictures import load_pictures
from yoto_tf.zoo.vae.vae import VAE


@dataclasses.dataclass(frozen=True, kw_only=True)
class VAERecipe(Recipe):
    """A convolutional β-VAE trained on small pictures in memory.

    With `fixed` it is a network without conditioning, as the paper's baselines are.

    Attributes:
        image_shape: height, width and channels of a picture.
        width: factor on the numbers of channels and on `hidden_units`; the paper's 1,
            2 and 4.
        channels: of the blocks at width 1.
        hidden_units: width of the hidden dense layers at width 1.
        latents: number of latents.
        likelihood: of a pixel.
        film_units: width of the hidden layers of FiLM's perceptrons.
        lowest_kl: smallest β of the log-uniform training distribution.
        highest_kl: largest β.
        normalize_weights: whether the loss of each example is divided by √β. Otherwise
            gradients are the larger the larger β is, and early in a training latents
            die that a small β could use.
        enlarged: side to which pictures are enlarged, to be cropped at random and
            mirrored; None to use them as they are.
    """

    image_shape: tuple[int, int, int]
    width: int
    channels: tuple[int, ...]
    hidden_units: int
    latents: int
    likelihood: Literal["gaussian", "bernoulli"]
    film_units: int = 512
    lowest_kl: float = 0.125
    highest_kl: float = 512.0
    normalize_weights: bool = False
    enlarged: int | None = None

    def build(self):
        coefficients = self.training_coefficients(Coefficients(kl=self.law()))
        network = self.network(coefficients)
        return LossConditionalModel(
            network,
            self.loss_terms(),
            coefficients,
            normalize_weights=self.normalize_weights,
        )

    def law(self):
        """The distribution of β."""
        return LogUniform(self.lowest_kl, self.highest_kl)

    def network(self, coefficients):
        """The network for these coefficients."""
        return ConvVAE(
            coefficients,
            self.image_shape,
            tuple(self.width * count for count in self.channels),
            self.width * self.hidden_units,
            self.latents,
            self.likelihood,
            self.film_units if self.fixed is None else None,
        )

    def loss_terms(self):
        """The function of inputs and outputs that is minimised."""
        return LIKELIHOODS[self.likelihood].terms

    def batches(self, spec, first_batch):
        images = _images(spec, self.image_shape, self.enlarged)
        if self.enlarged is None:
            arrays = {"image": images}
            return Examples(arrays, self.batch_size, self.seed, first_batch=first_batch)
        return RandomCrops(
            images, self.image_shape[:2], self.batch_size, self.seed, first_batch
        )

    def release(self, model, directory):
        """Writes a `VAE` that `yoto_tf.zoo.load(directory)` loads."""
        card = (
            f"# β-VAE\n\nA convolutional β-VAE of width {self.width} for β from "
            f"{self.lowest_kl:g} to {self.highest_kl:g}, trained for "
            f"{self.length('pictures')} of {self.data}.\n"
        )
        VAE.from_network(model.network, card).save(directory)


# A comparison trains several networks on the same data.
@functools.lru_cache(maxsize=1)
def _images(spec, image_shape, enlarged):
    images = load_pictures(spec, image_shape)
    return images if enlarged is None else resized(images, enlarged)
