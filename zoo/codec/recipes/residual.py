"""The residual codec, "codec": 9.8 million parameters, λ from 0.0018 to 1.5.

yoto train codec/residual --data PHOTOGRAPHS

Not released yet: the weights so far are `benchmarks/milestones/codec-residual`. A first
training, of 76,813 steps on 139 photographs, left nearly all units of the residual
blocks dead: they had a plain ReLU. From its linear layers at step 73,345, with leaky
units that began anew, 21,233 steps followed in 113 minutes beside other work, at 4e-4
for a fifth of the time and then at a rate that fell to zero. By estimated bits of five
photographs set aside it takes 12.9 % more than the released codec at the same PSNR, 26 %
at 31 dB and 4 % at 38 dB; the first training ended at 16.4 %. Its range ends at 44.9 dB.
"""

from yoto_tf.zoo.codec.recipe import ResidualCodecRecipe


def recipe():
    return ResidualCodecRecipe(
        steps=1_000_000,
        batch_size=1,
        learning_rate=4e-4,
        warmup_steps=500,
    )
