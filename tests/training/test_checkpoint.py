import os
import shutil
import warnings

import keras
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from yoto_tf.errors import DataError, RecipeError
from yoto_tf.training import checkpoint


def trained_model(seed=0, units=3, dtype=None, optimizer="adam", steps=2):
    """A model with slots, moving statistics and two seed generators of one path."""
    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [
            keras.layers.Dense(units, dtype=dtype),
            keras.layers.BatchNormalization(dtype=dtype),
            keras.layers.Dropout(0.5, seed=seed, dtype=dtype),
            keras.layers.Dropout(0.5, seed=seed + 1, dtype=dtype),
            keras.layers.Dense(1, dtype=dtype),
        ]
    )
    model.compile(optimizer, "mse")
    random = np.random.default_rng(seed)
    for _ in range(steps):
        model.train_on_batch(random.normal(size=(8, 4)), random.normal(size=(8, 1)))
    return model


def state(model):
    variables = [*model.variables, *model.optimizer.variables]
    return [np.asarray(keras.ops.convert_to_numpy(v)) for v in variables]


def assert_same_state(left, right):
    for one, other in zip(state(left), state(right), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.fixture(scope="module")
def model():
    return trained_model()


@pytest.fixture(scope="module")
def other():
    """The same architecture, built later in the process."""
    return trained_model(seed=7, steps=3)


def test_all_state_comes_back(tmp_path, model):
    checkpoint.save(tmp_path, model, 12, seconds=3.5)
    other = trained_model(seed=7, steps=3)
    assert other.optimizer.iterations != model.optimizer.iterations
    assert checkpoint.restore(tmp_path, other) == (12, 3.5)
    assert_same_state(other, model)


def test_optimizer_is_built_if_need_be(tmp_path, model):
    checkpoint.save(tmp_path, model, 12)
    fresh = trained_model(steps=0)
    fresh.build((None, 4))
    assert not fresh.optimizer.built
    checkpoint.restore(tmp_path, fresh)
    assert_same_state(fresh, model)


def test_bfloat16_variables_come_back_exactly(tmp_path):
    model = trained_model(dtype="bfloat16")
    checkpoint.save(tmp_path, model, 1)
    again = trained_model(seed=1, dtype="bfloat16")
    checkpoint.restore(tmp_path, again)
    assert again.layers[0].kernel.dtype == "bfloat16"
    assert_same_state(again, model)


def test_keeps_the_newest_two(tmp_path, model):
    for step in (5, 100, 99_999_999, 123_456_789):
        checkpoint.save(tmp_path, model, step)
    assert checkpoint.steps(tmp_path) == [99_999_999, 123_456_789]
    assert len(os.listdir(tmp_path)) == 2
    assert checkpoint.restore(tmp_path, model).step == 123_456_789


def test_failed_write_leaves_the_last_checkpoint_alone(tmp_path, model, monkeypatch):
    checkpoint.save(tmp_path, model, 1)

    def half_a_write(file, **arrays):
        file.write(b"PK half")
        raise OSError("no space left on device")

    monkeypatch.setattr(checkpoint.np, "savez", half_a_write)
    with pytest.raises(DataError, match="no space"):
        checkpoint.save(tmp_path, model, 2)
    assert os.listdir(tmp_path) == ["step-00000001.npz"]
    assert checkpoint.restore(tmp_path, model).step == 1


def test_damaged_newest_falls_back_with_a_warning(tmp_path, model):
    other = trained_model(seed=7, steps=3)
    checkpoint.save(tmp_path, model, 1)
    newest = checkpoint.save(tmp_path, model, 2)
    newest.write_bytes(newest.read_bytes()[:-100])
    with pytest.warns(UserWarning, match="step-00000002.npz is damaged"):
        assert checkpoint.restore(tmp_path, other).step == 1
    assert_same_state(other, model)


@settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_a_flipped_bit_is_never_restored(tmp_path, model, other, place, bit):
    folder = tmp_path / "flipped"
    shutil.rmtree(folder, ignore_errors=True)
    checkpoint.save(folder, model, 1)
    newest = checkpoint.save(folder, model, 2)
    data = bytearray(newest.read_bytes())
    data[int(place * len(data))] ^= 1 << bit
    newest.write_bytes(data)
    other.layers[0].kernel.assign(np.zeros((4, 3)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert checkpoint.restore(folder, other).step in (1, 2)
    assert_same_state(other, model)


def test_a_checkpoint_that_lost_an_array_is_passed_over(tmp_path, model, other):
    checkpoint.save(tmp_path, model, 1)
    newest = checkpoint.save(tmp_path, model, 2)
    with np.load(newest) as archive:
        arrays = dict(archive)
    del arrays[max(arrays)]
    np.savez(newest, **arrays)
    with pytest.warns(UserWarning, match="step-00000002.npz is damaged"):
        assert checkpoint.restore(tmp_path, other).step == 1
    assert_same_state(other, model)


def test_nothing_readable_is_an_error(tmp_path, model):
    with pytest.raises(RecipeError, match=r"expected a checkpoint .*there is none"):
        checkpoint.restore(tmp_path / "missing", model)
    checkpoint.save(tmp_path, model, 3).write_bytes(b"")
    with (
        pytest.warns(UserWarning, match="damaged"),
        pytest.raises(RecipeError, match="none of 1 is readable"),
    ):
        checkpoint.restore(tmp_path, model)


@pytest.mark.parametrize(
    ("another", "message"),
    [
        ({"units": 5}, r"kernel has shape \(4, 3\), expected \(4, 5\)"),
        ({"optimizer": "sgd"}, "has no optimizer/"),
    ],
)
def test_another_model_is_an_error_and_stays_as_it_was(
    tmp_path, model, another, message
):
    checkpoint.save(tmp_path, model, 3)
    wrong = trained_model(seed=2, **another)
    before = state(wrong)
    with pytest.raises(RecipeError, match=message):
        checkpoint.restore(tmp_path, wrong)
    for one, kept in zip(state(wrong), before, strict=True):
        np.testing.assert_array_equal(one, kept)


def test_weights_that_are_not_finite_are_not_saved(tmp_path):
    model = trained_model()
    checkpoint.save(tmp_path, model, 1)
    model.layers[0].kernel.assign(model.layers[0].kernel * np.nan)
    with pytest.raises(RecipeError, match="kernel is not finite at step 2"):
        checkpoint.save(tmp_path, model, 2)
    assert checkpoint.steps(tmp_path) == [1]


def test_saving_never_removes_what_can_be_read(tmp_path, model):
    """Later checkpoints that are damaged do not push out the one just written."""
    checkpoint.save(tmp_path, model, 500)
    good = (tmp_path / "step-00000500.npz").read_bytes()
    for step in (900, 1000):
        os.truncate(checkpoint.save(tmp_path, model, step), 700)
    (tmp_path / "step-00000500.npz").write_bytes(good)
    with pytest.warns(UserWarning, match="is damaged"):
        assert checkpoint.restore(tmp_path, model).step == 500
    assert checkpoint.save(tmp_path, model, 550).exists()
    assert checkpoint.steps(tmp_path) == [500, 550, 900, 1000]
    with pytest.warns(UserWarning, match="is damaged"):
        assert checkpoint.restore(tmp_path, model).step == 550
