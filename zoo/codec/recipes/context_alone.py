"""The second part: the context of a residual codec alone, on latents that stay.

yoto train codec/context_alone --data PHOTOGRAPHS --set base=RELEASE

RELEASE is what `codec/residual` leaves; the release of this is what `codec/context`
carries on from.
"""

from yoto_tf.zoo.codec.training.context_recipe import ContextAloneRecipe


def recipe():
    return ContextAloneRecipe(
        steps=20_000, batch_size=8, learning_rate=1e-3, warmup_steps=50
    )
