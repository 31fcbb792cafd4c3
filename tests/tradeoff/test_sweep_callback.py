import keras
import numpy as np
import pytest
from keras import ops

import yoto_tf as yoto
from yoto_tf.errors import CoefficientError


def tug(inputs, outputs):
    return {
        "near": ops.mean(ops.square(outputs - inputs["x"]), axis=-1),
        "far": ops.mean(ops.square(outputs + inputs["x"]), axis=-1),
    }


def model():
    coefficients = yoto.Coefficients(near=yoto.LogUniform(0.1, 10), far=yoto.Fixed(1.0))
    x = keras.Input((3,), name="x")
    hidden = keras.layers.Dense(8)(x)
    network = keras.Model(x, keras.layers.Dense(3)(hidden))
    made = yoto.LossConditionalModel(
        yoto.condition(network, coefficients), tug, coefficients
    )
    made.compile("adam")
    return made


def events(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    read = EventAccumulator(str(folder))
    read.Reload()
    return read


DATA = {"x": np.random.default_rng(0).normal(size=(64, 3)).astype("float32")}


@pytest.mark.parametrize("reference", [[9.0, 9.0], {"far": 9.0, "near": 9.0}])
def test_the_front_is_logged(reference, tmp_path):
    one = model()
    callback = yoto.SweepCallback(
        DATA,
        one.coefficients.grid(3),
        hypervolume=reference,
        log_dir=tmp_path,
        every=2,
    )
    history = one.fit(DATA, epochs=4, callbacks=[callback], verbose=0).history
    assert len(history["hypervolume"]) == 2
    read = events(tmp_path)
    volumes = read.Scalars("front/hypervolume")
    assert [event.step for event in volumes] == [1, 3]
    points = callback.front.points("near", "far")
    assert volumes[-1].value == pytest.approx(yoto.hypervolume(points, [9, 9]))
    for row, value in zip(callback.front.terms, ("0p1", "1", "10"), strict=True):
        logged = read.Scalars(f"front/far_at_near_{value}")[-1].value
        assert logged == pytest.approx(row["far"], rel=1e-6)
    assert read.Images("front")[-1].width > 100


def test_vectors_out_of_range_before_the_first_step(tmp_path):
    callback = yoto.SweepCallback(DATA, [[99.0, 1.0]], log_dir=tmp_path)
    with pytest.raises(CoefficientError, match="near = 99 is outside"):
        model().fit(DATA, callbacks=[callback], verbose=0)


def test_epochs_from_one_sweep_to_the_next():
    with pytest.raises(ValueError, match="every must be ≥ 1, got every=0"):
        yoto.SweepCallback(None, [[1.0]], every=0)
