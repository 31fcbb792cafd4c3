"""A codec of 320 latents, "codec-large": 6.9 million parameters.

yoto train codec/large --data PHOTOGRAPHS --workdir runs/codec-large
"""

from yoto_tf.zoo.codec.more_latents import MoreLatentsRecipe


def recipe():
    return MoreLatentsRecipe(
        steps=22_000,
        batch_size=1,
        patch_size=256,
        filters=(64, 96, 144, 320),
        learning_rate=3e-4,
        warmup_steps=500,
        decay_fraction=1.0,
    )
