"""A codec of 320 latents, "codec-large": 6.9 million parameters.

yoto train codec/large --data PHOTOGRAPHS --workdir runs/codec-large
"""

from yoto_tf.zoo.codec.recipe import CodecRecipe


def recipe():
    return CodecRecipe(
        steps=30_000,
        batch_size=1,
        patch_size=256,
        filters=(64, 96, 192, 320),
        learning_rate=5e-4,
        warmup_steps=500,
        decay_fraction=1.0,
    )
