"""A stylizer, first part: many steps on small patches.

yoto train stylization/small --set styles=PAINTINGS --data PHOTOGRAPHS

Half of the steps go to the rate's decay, in which the style terms fall most.
"""

from yoto_tf.zoo.stylization.recipe import StylizationRecipe


def recipe():
    return StylizationRecipe(
        steps=60_000,
        batch_size=4,
        learning_rate=1e-3,
        warmup_steps=500,
        decay_fraction=0.5,
    )
