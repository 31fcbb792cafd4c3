"""A stylizer, second part: larger patches, from the weights of the first.

yoto train stylization/large --from SMALL --set styles=PAINTINGS --data PHOTOGRAPHS

By then the middles of the dials are learned; the ends get more of the examples.
"""

from yoto_tf.zoo.stylization.recipe import StylizationRecipe


def recipe():
    return StylizationRecipe(
        steps=10_000,
        batch_size=4,
        learning_rate=3e-4,
        warmup_steps=200,
        decay_fraction=0.5,
        patch_size=256,
        ends=True,
    )
