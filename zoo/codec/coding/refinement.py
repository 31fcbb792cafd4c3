"""Latents fitted to one picture: time spent at the encoder, none at the decoder.

The analysis is trained on many pictures, so the latents that it finds for one picture
are good but not the best. Here gradient steps move hyper-latents and latents so as to
minimise

    λ · MSE + bits per pixel

while the networks stay as they are. Rounding has no gradient. In its place each value
goes at random to the integer below or above it, by a relaxed draw. The odds depend on
the distance to both integers and harden as a temperature falls (stochastic Gumbel
annealing), so that in the end values lie where rounding leaves them.

Reference: Yang, Bamler & Mandt, "Improving Inference for Neural Image Compression",
NeurIPS 2020.
"""

import keras
import numpy as np
from keras import ops

from yoto_tf.machine.keras_settings import usual_settings
from yoto_tf.machine.processes import check_process
from yoto_tf.machine.progress import progress_bar
from yoto_tf.zoo.codec.tiling.spans import spans
from yoto_tf.zoo.codec.tiling.tiles import EdgePadded, shifted, window

# How many steps each level of effort takes, from 0 to 9.
STEPS = (0, 20, 50, 75, 100, 150, 200, 400, 1000, 2000)
# Adam's learning rate, in quantisation steps.
RATE = 0.02
# The temperature is the first of these for a share of the steps, COOLING_FROM, and then
# falls to the last.
TEMPERATURES = (0.5, 0.1)
COOLING_FROM = 0.2
# The longest side of the windows that are refined, and their overlap, in pixels.
WINDOW = 1024
OVERLAP = 64
# The smallest distance to an integer, so that the logarithm of the odds is finite.
_NEAREST = 1e-5
_SEED = 1


class Refiner:
    """Refines the codes of pictures under one network.

    Args:
        network: a built `CodecNetwork`.
    """

    def __init__(self, network):
        self._network = network
        # Kept for the next window of the same size, since it is compiled.
        self._refinement = None

    def refine(self, codes, image, vector, steps):
        """Refines codes in place. The same arguments always give the same codes.

        Args:
            codes: float32 arrays [h, w, C], one for each code, before rounding; the
                latents, which are the last, before the gain.
            image: uint8 [H, W, 3].
            vector: coefficient vector [1].
            steps: of the optimiser, for each window.
        """
        check_process()
        network, cell = self._network, self._network.multiple
        embedding = network.embedding(ops.convert_to_tensor(vector[None]))
        gain = ops.convert_to_numpy(network.log_gain.factors(embedding))[0]
        padded = EdgePadded(image, cell)
        grid = [side // cell for side in padded.shape[:2]]
        factors = [code.shape[0] // grid[0] for code in codes]
        rows, columns = (
            spans(length, max(WINDOW // cell, 1), (-(-OVERLAP // cell),) * 2)
            for length in grid
        )
        windows = [(row, column) for row in rows for column in columns]
        codes[-1] *= gain
        bar = progress_bar(total=steps * len(windows), unit="step", leave=False)
        with bar, usual_settings():
            for row, column in windows:
                area = [
                    window(row[:2], column[:2], factor) for factor in (*factors, cell)
                ]
                refined = self._refined(
                    [code[place] for code, place in zip(codes, area, strict=False)],
                    padded[area[-1]],
                    [
                        side - part.start
                        for side, part in zip(image.shape, area[-1], strict=False)
                    ],
                    vector,
                    steps,
                    bar,
                )
                for code, factor, new in zip(codes, factors, refined, strict=True):
                    kept = window(shifted(row), shifted(column), factor)
                    code[window(row[2:], column[2:], factor)] = new[kept]
        codes[-1] /= gain

    def _refined(self, codes, image, size, vector, steps, bar):
        """Refined codes of one window.

        The first `size` rows and columns of its image are not padding.
        """
        shapes = [code.shape for code in codes]
        if self._refinement is None or self._refinement.shapes != shapes:
            self._refinement = _Refinement(self._network, shapes)
        return self._refinement.run(codes, image, size, vector, steps, bar)


class _Refinement(keras.Model):
    """A model whose weights are the codes of one window and whose output is their loss.

    Keras' own `fit` then compiles the steps and takes the gradients, on every backend.

    Args:
        network: a built `CodecNetwork`.
        shapes: [h, w, C] of each code.

    Inputs: the share of the steps that is done, [1]. Output: the loss.
    """

    def __init__(self, network, shapes):
        super().__init__(name="refinement", dtype="float32")
        self.shapes = shapes
        # Functions hide the network from Keras, which would train it as a part of this.
        self._embed = lambda vector: network.embedding(vector)
        self._relax = lambda *arguments: network.relax(*arguments)
        self._synthesize = lambda *arguments: network.synthesize(*arguments)
        height, width = (network.multiple * side for side in shapes[0][:2])
        self._codes = [
            self.add_weight(shape=(1, *shape), initializer="zeros", name=f"code_{n}")
            for n, shape in enumerate(shapes)
        ]
        self._image, self._inside, self._vector = (
            self.add_weight(shape=(1, *shape), trainable=False, name=name)
            for name, shape in (
                ("image", (height, width, 3)),
                ("inside", (height, width, 1)),
                ("vector", (len(network.coefficients),)),
            )
        )
        self._seeds = keras.random.SeedGenerator(_SEED)
        self._first_seed = ops.convert_to_numpy(self._seeds.state)

    def run(self, codes, image, size, vector, steps, bar):
        """The codes after some steps of the optimiser."""
        for variable, code in zip(self._codes, codes, strict=True):
            variable.assign(code[None])
        inside = np.zeros(self._inside.shape, "float32")
        inside[:, : size[0], : size[1]] = 1
        self._image.assign(image[None] / np.float32(255))
        self._inside.assign(inside)
        self._vector.assign(vector[None])
        self._seeds.state.assign(self._first_seed)
        if not self.compiled:
            self.compile(keras.optimizers.Adam(RATE))
        else:
            for variable in self.optimizer.variables:
                if variable is not self.optimizer.learning_rate:
                    variable.assign(ops.zeros_like(variable))
        advance = keras.callbacks.LambdaCallback(
            on_train_batch_end=lambda batch, logs: bar.update()
        )
        self.fit(
            np.arange(steps, dtype="float32") / steps,
            batch_size=1,
            shuffle=False,
            verbose=0,
            callbacks=[advance],
        )
        return [ops.convert_to_numpy(variable)[0] for variable in self._codes]

    def call(self, done):
        first, last = (np.log(temperature) for temperature in TEMPERATURES)
        cooled = ops.maximum(done[0] - COOLING_FROM, 0.0) / (1 - COOLING_FROM)
        temperature = ops.exp(first + cooled * (last - first))
        embedding = self._embed(self._vector)
        quantized, bits = self._relax(
            self._codes, embedding, lambda values: self._draw(values, temperature)
        )
        image = ops.clip(self._synthesize(quantized, embedding), 0.0, 1.0)
        error = ops.square((image - self._image) * 255.0) * self._inside
        loss = self._vector[0, 0] * ops.sum(error) / 3.0 + ops.sum(bits)
        return loss / ops.sum(self._inside)

    def _draw(self, values, temperature):
        """Moves each value towards the integer below or above it, drawn at random."""
        below = ops.floor(values)
        above = ops.clip(values - below, _NEAREST, 1 - _NEAREST)
        odds = (ops.arctanh(above) - ops.arctanh(1 - above)) / temperature
        uniform = keras.random.uniform(
            ops.shape(values), _NEAREST, 1 - _NEAREST, seed=self._seeds
        )
        noise = ops.log(uniform) - ops.log(1 - uniform)
        return below + ops.sigmoid((odds + noise) / temperature)

    def compute_loss(self, x=None, y=None, y_pred=None, *_, **__):
        """Returns what `call` returned."""
        return y_pred
