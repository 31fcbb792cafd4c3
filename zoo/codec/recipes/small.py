"""The released codec."""

from yoto_tf.zoo.codec.recipe import CodecRecipe


def recipe():
    return CodecRecipe(
        steps=50_000,
        batch_size=4,
        learning_rate=5e-4,
        warmup_steps=500,
        decay_fraction=1.0,
    )
