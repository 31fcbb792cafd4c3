"""Trains the guide's first row; started with another backend by test_migration."""

import sys

import keras
import numpy as np

import yoto_tf as yoto

coefficients = yoto.Coefficients(out=yoto.LogUniform(0.1, 10.0))
x = keras.Input((3,), name="x")
hidden = keras.layers.Dense(4, activation="relu")(x)
network = keras.Model(x, keras.layers.Dense(1, name="out")(hidden))
model = yoto.LossConditionalModel(
    yoto.condition(network, coefficients), coefficients=coefficients
)
model.compile("sgd", loss="mse")
data = np.ones((16, 3), "float32"), np.ones((16, 1), "float32")
loss = model.fit(*data, verbose=0).history["loss"]
np.savez(sys.argv[1], loss=loss, backend=keras.backend.backend())
