"""A style encoder for the released stylizer, which guesses a style from its painting.

yoto train stylization/style_encoder --from stylization --set styles=PAINTINGS \\
    --data PHOTOGRAPHS
"""

from yoto_tf.zoo.stylization.training.style_encoder import StyleEncoderRecipe


def recipe():
    return StyleEncoderRecipe(
        steps=20_000,
        batch_size=4,
        learning_rate=5e-4,
        warmup_steps=200,
        decay_fraction=0.5,
    )
