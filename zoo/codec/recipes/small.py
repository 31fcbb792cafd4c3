"""The smaller codec, "codec-small": 2 million parameters, λ from 0.0018 to 0.18.

yoto train codec/small --data PHOTOGRAPHS
"""

from yoto_tf.zoo.codec.recipe import CodecRecipe


def recipe():
    return CodecRecipe(
        steps=30_000,
        batch_size=4,
        filters=(32, 64, 96, 160),
        hyper_filters=64,
        learning_rate=5e-4,
        warmup_steps=500,
        decay_fraction=1.0,
    )
