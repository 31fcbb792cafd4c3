import json
import os
import subprocess
import sys

import keras
import numpy as np
import pytest

import yoto_tf as yoto

# Trains a network that hands out its coefficients; prints how far from the middle they
# were in each epoch.
TRAIN = """
import json, sys
import keras, numpy as np
import yoto_tf as yoto

coefficients = yoto.Coefficients(error=yoto.Annealed(yoto.Uniform(1, 3), 50, 0.05))
inputs = {"x": keras.Input((1,)), "coefficients": keras.Input((1,))}
outputs = keras.layers.Dense(1)(inputs["x"])
network = keras.Model(inputs, {"y": outputs, "drawn": inputs["coefficients"]})

@keras.saving.register_keras_serializable()
def terms(inputs, outputs):
    far = keras.ops.abs(outputs["drawn"][:, 0] - 2)
    return {"error": keras.ops.abs(outputs["y"][:, 0]), "far": far}

model = yoto.LossConditionalModel(network, terms, coefficients)
model.compile("sgd")
epochs = int(sys.argv[1])
x = {"x": np.zeros((2048, 1), "float32")}
history = model.fit(x, epochs=epochs, batch_size=32, verbose=0).history
print(json.dumps([history["far"], float(model.progress.value)]))
"""


def train(backend, epochs):
    done = subprocess.run(
        [sys.executable, "-c", TRAIN, str(epochs)],
        env={**os.environ, "KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_an_annealed_law_spreads_while_fit_goes_on(backend):
    far, progress = train(backend, epochs=4)
    # Beta(50, 50) is near its middle, Beta(0.05, 0.05) at its ends.
    assert far[0] < 0.1
    assert (np.diff(far) > 0).all()
    assert far[-1] > 2 * far[0]
    assert progress > 0.98


def test_a_single_epoch_has_a_progress_too():
    _, progress = train("tensorflow", epochs=1)
    assert progress > 0.98


def test_without_an_annealed_law_there_is_no_progress():
    inputs = {"x": keras.Input((1,), name="x")}
    inputs["coefficients"] = keras.Input((1,), name="coefficients")
    network = keras.Model(inputs, keras.layers.Dense(1, name="y")(inputs["x"]))
    coefficients = yoto.Coefficients(y=yoto.Uniform(1, 3))
    model = yoto.LossConditionalModel(network, coefficients=coefficients)
    assert model.progress is None
    assert not any("progress" in weight.path for weight in model.variables)
