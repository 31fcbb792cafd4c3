"""The residual codec, "codec": 9.8 million parameters, λ from 0.0018 to 1.5.

yoto train codec/residual --data PHOTOGRAPHS
"""

from yoto_tf.zoo.codec.recipe import ResidualCodecRecipe


def recipe():
    return ResidualCodecRecipe(
        steps=1_000_000,
        batch_size=1,
        learning_rate=5e-4,
        warmup_steps=500,
    )
