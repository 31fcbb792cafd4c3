"""The first released codec, "codec-v1": 4.5 million parameters, λ from 0.0018 to 0.18.

    SMALLER="patch_size=128 batch_size=4"
    yoto train codec/large --data PHOTOGRAPHS --workdir runs/first --set $SMALLER
    yoto train codec/large --data PHOTOGRAPHS --workdir runs/second \\
        --from runs/first/release --steps 56000 --set $SMALLER
    yoto train codec/large --data PHOTOGRAPHS --workdir runs/third \\
        --from runs/second/release --steps 22000 --set $SMALLER learning_rate=3e-4
    yoto train codec/large --data PHOTOGRAPHS --workdir runs/fourth \\
        --from MEAN --steps 16000 --set learning_rate=2e-4 warmup_steps=200

What it got: 30,000, 56,000, 22,000 and 16,000 steps on 117 photographs, 69, 130, 48 and
54 minutes on two cores of an AMD EPYC (Zen 5) in bfloat16, other work going on beside
it. MEAN has the mean of the weights after the second and the third part (Izmailov et
al., "Averaging Weights Leads to Wider Optima and Better Generalization", UAI 2018),
which does better than either on photographs that are in neither set.

BD-rate against JPEG 4:2:0 on Kodak (`benchmarks/kodak.py`): −25.4 % after the first
part, −30.9 % after the second, −30.3 % after the third, −31.5 % for the mean. All of
this was with Gaussian latents; with Laplace's density in the range coder's tables and
no further training it was −33.3 %. After the fourth part it is −37.7 %
(`benchmarks/results/kodak_codec-v1.json`).

The fourth part's patches have four times the area, and a step has one instead of four.
In half an hour of the small recipe, too, they are better, if by a percent only
(`benchmarks/codec_ablations.py`), which was found out last.
"""

from yoto_tf.zoo.codec.recipe import CodecRecipe


def recipe():
    return CodecRecipe(
        steps=30_000,
        batch_size=1,
        learning_rate=5e-4,
        warmup_steps=500,
        decay_fraction=1.0,
    )
