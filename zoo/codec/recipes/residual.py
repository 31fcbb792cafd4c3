"""The residual codec, "codec": 9.8 million parameters, λ from 0.0018 to 1.5.

yoto train codec/residual --data PHOTOGRAPHS

Not released yet. On 139 photographs: 8,118 steps at a constant 5e-4, then 59,695 at a
constant 3e-4, and 9,000 more at a rate that falls to zero: 5.1 hours on two cores of an
AMD EPYC beside other work. The loss, mean over 10,000 steps each, was 14.0, 10.8, 10.4,
10.5, 10.3, 10.0 and 10.1 at the constant rates and 9.0 over the last 2,000 steps. So it
still falls. The decay lowers it much, so weights from before the decay say little.
"""

from yoto_tf.zoo.codec.recipe import ResidualCodecRecipe


def recipe():
    return ResidualCodecRecipe(
        steps=1_000_000,
        batch_size=1,
        learning_rate=3e-4,
        warmup_steps=500,
    )
