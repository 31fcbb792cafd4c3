"""The smaller codec, "codec-small": 2.2 million parameters, λ from 0.0018 to 0.18.

yoto train codec/small --data PHOTOGRAPHS

What it got, on 117 photographs, on one of two cores of an AMD EPYC (Zen 5) in bfloat16,
other work going on beside it; BD-rate against JPEG 4:2:0 on Kodak:

- 15,000 steps, planned as 22,000 and shortened at step 9,517, with `patch_size=128
  batch_size=4`, in 47 minutes: −23.4 %.
- 10,000 of one patch of 256 pixels in 13 minutes (`--from codec-small --steps 10000
  --set learning_rate=2e-4 warmup_steps=200`): −28.2 %
  (`benchmarks/results/kodak_codec-small.json`).
"""

from yoto_tf.zoo.codec.recipe import CodecRecipe


def recipe():
    return CodecRecipe(
        steps=30_000,
        batch_size=1,
        filters=(32, 64, 96, 160),
        hyper_filters=64,
        learning_rate=5e-4,
        warmup_steps=500,
        decay_fraction=1.0,
    )
