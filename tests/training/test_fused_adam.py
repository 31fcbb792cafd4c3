import keras
import numpy as np
import pytest

from yoto_tf.training.fused_adam import FusedAdam


def trained(optimizer, steps=20):
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [keras.Input((5,)), keras.layers.Dense(7, "relu"), keras.layers.Dense(3)]
    )
    model.compile(optimizer, "mse")
    random = np.random.default_rng(2)
    x, y = random.normal(size=(steps, 5)), random.normal(size=(steps, 3))
    model.fit(x, y, batch_size=1, shuffle=False, verbose=0)
    return model


@pytest.mark.parametrize("options", [{}, {"use_ema": True}, {"global_clipnorm": 0.1}])
def test_updates_are_those_of_keras_adam(options):
    fused = trained(FusedAdam(0.01, **options))
    plain = trained(keras.optimizers.Adam(0.01, **options))
    for ours, theirs in zip(fused.variables, plain.variables, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)
    for ours, theirs in zip(
        fused.optimizer.variables, plain.optimizer.variables, strict=True
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-8)


def test_saving_keeps_moments(tmp_path):
    model = trained(FusedAdam(0.01))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert isinstance(loaded.optimizer, FusedAdam)
    for before, after in zip(
        model.optimizer.variables, loaded.optimizer.variables, strict=True
    ):
        np.testing.assert_array_equal(before, after)
