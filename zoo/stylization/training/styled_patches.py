"""Patches of photographs, each with a style to take on."""

import keras
import numpy as np

from yoto_tf.data import Patches
from yoto_tf.data.parts import InParts
from yoto_tf.zoo.stylization.training.stability import copies


class BesidePatches(InParts, keras.utils.PyDataset):
    """Batches, for ever, that hold patches of photographs and more beside them.

    Args:
        patches: `Patches`.
    """

    def __init__(self, patches):
        super().__init__()
        self.patches = patches

    def part(self, index, count):
        """As of all data sets in parts."""
        part = super().part(index, count)
        part.patches = self.patches.part(index, count)
        return part

    @property
    def num_batches(self):
        """None: Keras takes the data set as endless."""
        return None

    def __iter__(self):
        index = 0
        while True:
            yield self[index]
            index += 1


class StyledPatches(BesidePatches):
    """`Patches` with style weights, for ever, as `x` of `model.fit` on any backend.

    A patch is to take on one style, or with probability `mixtures` a mixture of two, in
    shares that are uniform. The photographs get noise of the size of their 8-bit steps:
    of patches in one colour, instance normalisation would have no finite gradient.
    Batch `i` depends on the seed and `i` alone, see `Patches`.

    Args:
        patches: `Patches`; their seed is that of the styles too.
        styles: how many styles there are, S.
        mixtures: in [0, 1].
        choices: the styles to draw from, numbers below S; None for all.
        copied: whether a batch has what `StableTerms` needs too.

    Batches:
        `{"image": float32 [B, size, size, 3], "style": float32 [B, S]}`, pixels in
        [0, 1] but for the noise and weights that sum to one; of copied ones also
        `"copy"` and `"offset"`, see `yoto_tf.zoo.stylization.training.stability`.
    """

    def __init__(self, patches, styles, mixtures=0.0, choices=None, copied=False):
        super().__init__(patches)
        self.styles = styles
        self.mixtures = mixtures
        self.choices = np.arange(styles) if choices is None else np.asarray(choices)
        self.copied = copied

    def __getitem__(self, index):
        patches: Patches = self.patches
        batch = patches[index]
        # Another stream than that of the patches, which has two numbers.
        seed = (patches.seed, patches.first_batch + index, 1)
        random = np.random.default_rng(seed)
        count = patches.batch_size
        places = range(count)[self.places(count)]
        first, second = random.choice(self.choices, (2, count))
        share = random.random(count) * (random.random(count) < self.mixtures)
        identity = np.eye(self.styles, dtype="float32")
        share = share[:, None].astype("float32")
        style = (1 - share) * identity[first] + share * identity[second]
        image = batch["image"]
        # Each place has noise of its own, whoever makes it.
        generators = [np.random.default_rng((*seed, place)) for place in places]
        for patch, random in zip(image, generators, strict=True):
            patch += (random.random(patch.shape, "float32") - _HALF) / _STEPS
        styled = {"image": image, "style": style[places.start : places.stop]}
        return styled | copies(image, generators) if self.copied else styled


_HALF, _STEPS = np.float32(0.5), np.float32(255)
