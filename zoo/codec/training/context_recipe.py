"""The recipes of a codec with a context: the context alone, then all of it."""

import dataclasses

from yoto_tf import zoo
from yoto_tf.errors import RecipeError
from yoto_tf.zoo.codec.network.context_hyperprior import ContextHyperprior
from yoto_tf.zoo.codec.recipe import ResidualCodecRecipe
from yoto_tf.zoo.codec.training.context_start import start_from_hyperprior
from yoto_tf.zoo.codec.training.context_training import ContextTraining, LatentPatches


@dataclasses.dataclass(frozen=True, kw_only=True)
class ContextCodecRecipe(ResidualCodecRecipe):
    """A codec of residual blocks with a context, see `ContextHyperprior`.

    Attributes:
        context_filters: channels of the inner maps of the contexts.
    """

    context_filters: int = 128

    def network(self, coefficients):
        return ContextHyperprior(
            coefficients,
            self.filters,
            self.blocks,
            self.hyper_filters,
            conditioned=self.film and self.fixed is None,
            context_filters=self.context_filters,
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class ContextAloneRecipe(ContextCodecRecipe):
    """The context of a codec, on latents that a codec without one has made.

    Attributes:
        base: the codec without a context: a name, a folder or an address.
        patches: how many patches' latents are made, and held in memory.
    """

    average: float = 0.0
    base: str = ""
    patches: int = 3000

    def training_model(self, network):
        return ContextTraining(network)

    def batches(self, spec, first_batch):
        network = self._release().network()
        patches = super().batches(spec, 0).with_shape(batch_size=1)
        law = self.training_distribution(network.coefficients)
        return LatentPatches(
            network, patches, self.patches, self.batch_size, first_batch, law
        )

    def initialise(self, model, batches):
        start_from_hyperprior(model.network, self._release())

    def _release(self):
        if not self.base:
            raise RecipeError(
                "the recipe names no codec to give a context to, expected "
                "--set base=NAME, a folder or an address"
            )
        return zoo.release_of(self.base)
