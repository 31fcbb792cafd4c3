"""The residual codec, "codec": 9.8 million parameters, λ from 0.0018 to 1.5.

yoto train codec/residual --data PHOTOGRAPHS

Not released yet. A first run of 8,118 steps at a constant 5e-4 lost more of the linear
start than it won: a lower rate is to be tried first.
"""

from yoto_tf.zoo.codec.recipe import ResidualCodecRecipe


def recipe():
    return ResidualCodecRecipe(
        steps=1_000_000,
        batch_size=1,
        learning_rate=5e-4,
        warmup_steps=500,
    )
