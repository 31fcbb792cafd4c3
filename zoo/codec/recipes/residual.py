"""The first part of the released codec's training: its transforms, without a context.

yoto train codec/residual --data PHOTOGRAPHS

9.8 million parameters, λ from 0.0018 to 1.5. What it got is told in `context.py`.
"""

from yoto_tf.zoo.codec.recipe import ResidualCodecRecipe


def recipe():
    return ResidualCodecRecipe(
        steps=1_000_000,
        batch_size=1,
        learning_rate=4e-4,
        warmup_steps=500,
    )
