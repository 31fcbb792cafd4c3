"""A convolution whose output channels learn at different paces."""

import numpy as np
from keras import layers, ops


class RelativeConv2D(layers.Conv2D):
    """A convolution whose kernel and bias are relative to a number for each channel.

        y = unit · (kernel * x + bias)

    Adam moves every weight by about the learning rate, however small the gradient. A
    small `unit` makes the channel learn slowly. It is kept with the weights and is not
    trained; it starts as one.
    """

    def build(self, input_shape):
        super().build(input_shape)
        self.unit = self.add_weight(
            shape=(self.filters,), initializer="ones", trainable=False, name="unit"
        )

    def call(self, inputs):
        unit = ops.cast(self.unit, self.compute_dtype)
        outputs = self.convolution_op(inputs, ops.multiply(self.kernel, unit))
        return ops.add(outputs, ops.multiply(self.bias, unit))

    def set_unit(self, unit):
        """Sets the numbers, positive [filters]; what the layer computes stays."""
        unit = np.asarray(unit, "float32")
        change = ops.convert_to_numpy(self.unit) / unit
        self.kernel.assign(self.kernel * change)
        self.bias.assign(self.bias * change)
        self.unit.assign(unit)
