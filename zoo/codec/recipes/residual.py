"""The residual codec, "codec": 9.8 million parameters, λ from 0.0018 to 1.5.

yoto train codec/residual --data PHOTOGRAPHS

Not released yet: the weights so far are `benchmarks/milestones/codec-residual`, whose
card says how they were trained. By estimated bits of photographs set aside
(`benchmarks/codec_milestone.py`) they take 5.5 % more than the released codec, more at
low rates and less at high ones.
"""

from yoto_tf.zoo.codec.recipe import ResidualCodecRecipe


def recipe():
    return ResidualCodecRecipe(
        steps=1_000_000,
        batch_size=1,
        learning_rate=4e-4,
        warmup_steps=500,
    )
