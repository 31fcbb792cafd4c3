"""The released codec."""

from yoto_tf.zoo.codec.recipe import CodecRecipe


def recipe():
    return CodecRecipe(steps=100_000, batch_size=4, learning_rate=1e-3)
