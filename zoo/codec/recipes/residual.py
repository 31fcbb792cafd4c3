"""The residual codec, "codec": 9.8 million parameters, λ from 0.0018 to 1.5.

yoto train codec/residual --data PHOTOGRAPHS

Not released yet: the weights so far are `benchmarks/milestones/codec-residual`. A first
training, of 76,813 steps on 139 photographs, left nearly all units of the residual
blocks dead: they had a plain ReLU. From its linear layers at step 73,345, with leaky
units that began anew, 48,200 steps followed in 261 minutes beside other work, twice at
4e-4 and then at a rate that fell to zero. By estimated bits of photographs set aside
(`benchmarks/codec_milestone.py`) it takes more than the released codec still; its card
has the figures.
"""

from yoto_tf.zoo.codec.recipe import ResidualCodecRecipe


def recipe():
    return ResidualCodecRecipe(
        steps=1_000_000,
        batch_size=1,
        learning_rate=4e-4,
        warmup_steps=500,
    )
