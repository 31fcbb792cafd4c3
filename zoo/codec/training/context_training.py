"""Trains a context on latents that a network without one has made.

No transform runs: a step costs a fraction of one of the whole network.
"""

import keras
import numpy as np
from keras import ops

from yoto_tf.data.epochs import EpochOrders
from yoto_tf.data.parts import InParts
from yoto_tf.machine.compilation import compiled
from yoto_tf.machine.progress import progress_bar

# What is trained; the rest of the network stays as it is.
_TRAINED = ("mean_context", "scale_context", "scale_synthesis")


class ContextTraining(keras.Model):
    """The rate of given latents, which the context of a network learns to lower.

    Args:
        network: a `ContextHyperprior`. All of it but the contexts and the tower of the
            scales is frozen.

    Inputs: {"latents": [B, h, w, C] before the gain, "hyper_latents": [B, h/4, w/4, N],
    rounded, "coefficients": [B, 1]}. Output: bits per pixel [B].

    The loss divides bits per pixel by sqrt(λ), as the training of the whole network
    does, which makes them of one size at all λ.
    """

    def __init__(self, network, **kwargs):
        # With another policy Keras would cast the network's variables in here; the
        # network itself decides which of them may be cast.
        super().__init__(dtype="float32", **kwargs)
        self.network = network
        if not network.built:
            network.build(None)
        for layer in network.layers:
            layer.trainable = layer.name in _TRAINED

    def build(self, input_shape=None):
        self.built = True

    def call(self, inputs, training=None):
        latents, hyper_latents = (
            ops.cast(inputs[name], "float32") for name in ("latents", "hyper_latents")
        )
        embedding = self.network.embedding(inputs["coefficients"])
        _, bits = self.network.code(latents, hyper_latents, embedding, training)
        height, width = ops.shape(latents)[1:3]
        return bits / ops.cast(height * width * 16**2, "float32")

    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        return ops.mean(y_pred / ops.sqrt(x["coefficients"][:, 0]))


class LatentPatches(InParts, keras.utils.PyDataset):
    """Batches of latents of patches of photographs, each at a λ of its own, for ever.

    Args:
        network: a built `HyperpriorNetwork`, which makes them.
        patches: `yoto_tf.data.Patches` with batches of one.
        count: how many patches are made, once; 0.2 MB each for 256×256 pixels.
        batch_size: how many a batch has. Each patch comes once an epoch; batch i
            depends on the seed of the patches and i alone.
        first_batch: number of the first batch.
        law: `Coefficients` that λ are drawn from; None for those of the network.
    """

    def __init__(self, network, patches, count, batch_size, first_batch=0, law=None):
        super().__init__()
        self._batch_size = batch_size
        self._orders = EpochOrders(count, patches.seed)
        self._first_batch = first_batch
        random = np.random.default_rng(patches.seed)
        encode = compiled(lambda *inputs: _encoded(network, *inputs))
        law = law or network.coefficients
        made = []
        for number in progress_bar(range(count), "Encoding", unit="patch"):
            vector = law.at(random.random())[None]
            image = ops.convert_to_tensor(patches[number]["image"])
            latents, hyper_latents = encode(image, ops.convert_to_tensor(vector))
            made.append((_half(latents), _half(hyper_latents), vector))
        names = ("latents", "hyper_latents", "coefficients")
        columns = map(np.concatenate, zip(*made, strict=True))
        self._held = dict(zip(names, columns, strict=True))

    @property
    def num_batches(self):
        return None

    def __getitem__(self, index):
        first = (self._first_batch + index) * self._batch_size
        chosen = self._orders.dealt(first, self._batch_size)
        chosen = chosen[self.places(self._batch_size)]
        return {name: array[chosen] for name, array in self._held.items()}


def _encoded(network, image, vector):
    embedding = network.embedding(vector)
    latents = network.analyze(image, embedding)
    return latents, ops.round(network.hyper_analyze(latents, embedding))


def _half(tensor):
    return ops.convert_to_numpy(tensor).astype("float16")
