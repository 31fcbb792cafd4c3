"""The released codec, "codec": 4.5 million parameters, λ from 0.0018 to 0.18.

    yoto train codec/small --data PHOTOGRAPHS --workdir runs/first
    yoto train codec/small --data PHOTOGRAPHS --workdir runs/second \\
        --from runs/first/release --steps 56000

What it got: 30,000 and then 56,000 steps on 117 photographs, 69 and 130 minutes on two
cores of an AMD EPYC (Zen 5) in bfloat16, other work going on beside it. The first part
reached a BD-rate of −25.4 % against JPEG 4:2:0 on Kodak, both together −30.9 %
(`benchmarks/results/kodak_codec.json`); a longer training is what it needs.
"""

from yoto_tf.zoo.codec.recipe import CodecRecipe


def recipe():
    return CodecRecipe(
        steps=30_000,
        batch_size=4,
        learning_rate=5e-4,
        warmup_steps=500,
        decay_fraction=1.0,
    )
