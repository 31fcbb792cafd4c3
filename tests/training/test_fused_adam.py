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


@pytest.mark.parametrize("options", [{}, {"global_clipnorm": 0.1}])
def test_updates_are_those_of_keras_adam(options):
    fused = trained(FusedAdam(0.01, **options))
    plain = trained(keras.optimizers.Adam(0.01, **options))
    for ours, theirs in zip(fused.variables, plain.variables, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-5)
    for ours, theirs in zip(
        fused.optimizer.variables, plain.optimizer.variables, strict=True
    ):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=1e-8)


@pytest.mark.parametrize("largest", [0.4, 0.99])
def test_the_average_of_a_short_training_is_of_its_end(largest):
    weight, average = keras.Variable(0.0), 0.0
    optimizer = FusedAdam(0.1, use_ema=True, ema_momentum=largest)
    for step in range(30):
        optimizer.apply([np.float32(1)], [weight])
        momentum = min(largest, (1 + step) / (10 + step)) if step else 0
        average = momentum * average + (1 - momentum) * float(weight)
    assert optimizer.get_config()["ema_momentum"] == largest
    optimizer.finalize_variable_values([weight])
    assert float(weight) == pytest.approx(average, rel=1e-5)


def test_saving_keeps_moments(tmp_path):
    model = trained(FusedAdam(0.01))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert isinstance(loaded.optimizer, FusedAdam)
    for before, after in zip(
        model.optimizer.variables, loaded.optimizer.variables, strict=True
    ):
        np.testing.assert_array_equal(before, after)
