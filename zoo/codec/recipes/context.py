"""The released codec, "codec": 10.9 million parameters, λ from 0.0018 to 1.5.

    yoto train codec/residual --data PHOTOGRAPHS --workdir runs/base
    yoto train codec/context_alone --data PHOTOGRAPHS --workdir runs/first \\
        --set base=runs/base/release patches=1500 --minutes 14
    yoto train codec/context --data PHOTOGRAPHS --workdir runs/codec \\
        --from runs/first/release --minutes 86 \\
        --set learning_rate=4e-4 decay_fraction=0.9 warmup_steps=300 slope=0.6

Without `--from` all begins as a linear codec.

What it got, on 139 photographs, on two cores of an AMD EPYC in bfloat16, other work
going on beside it, with the BD-rate against `codec-v1` after each part, by estimated
bits of five crops of photographs set aside (`benchmarks/codec_comparison.py`, results
in `codec_comparison_residual.json`, `…_context_alone.json` and `…_codec.json`):

- the transforms: 73,345 steps after which nearly all units of the residual blocks were
  dead. These began anew, leaky; 57,552 steps followed in 314 minutes, three times at
  4e-4 and then at a rate that fell, and 14,768 in 42 minutes at 3e-4 and then at a rate
  that fell, with channels that learn at paces of their own (`RelativeConv2D`): +5.5 %;
- the context alone: 7,655 steps of 8 patches, 14 minutes: −2.5 %;
- all of it: 41,116 steps, 86 minutes: −9.2 %.
"""

from yoto_tf.zoo.codec.training.context_recipe import ContextCodecRecipe


def recipe():
    return ContextCodecRecipe(
        steps=1_000_000, batch_size=1, learning_rate=5e-4, warmup_steps=500
    )
