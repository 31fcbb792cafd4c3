"""The residual codec with a context, all of it: λ from 0.0018 to 1.5.

yoto train codec/context --data PHOTOGRAPHS --from RELEASE

RELEASE is what `codec/context_alone` leaves. Without it all begins as a linear codec.
"""

from yoto_tf.zoo.codec.training.context_recipe import ContextCodecRecipe


def recipe():
    return ContextCodecRecipe(
        steps=1_000_000, batch_size=1, learning_rate=5e-4, warmup_steps=500
    )
