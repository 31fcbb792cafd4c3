import dataclasses
import json

import keras
import numpy as np
import pytest
from keras import layers, ops

from yoto_tf.baking import bake
from yoto_tf.coefficients import Coefficients
from yoto_tf.conditioning import condition
from yoto_tf.distributions import Fixed, Uniform
from yoto_tf.errors import CoefficientError, RecipeError
from yoto_tf.loss_conditional_model import LossConditionalModel
from yoto_tf.tradeoff import Comparison, compare
from yoto_tf.training import engine
from yoto_tf.training.recipe import Recipe

BATCH = {"x": np.zeros((8, 1), "float32")}
VECTORS = [[0.5, 1.0], [2.0, 1.0]]


def terms(inputs, outputs):
    return {
        "left": ops.square(outputs[:, 0]),
        "right": ops.square(outputs[:, 0] - 1),
    }


def metrics(inputs, outputs):
    return {"place": outputs[:, 0]}


@dataclasses.dataclass(frozen=True, kw_only=True)
class DialRecipe(Recipe):
    """Learns a number between 0 and 1; at best the total is left / (left + 1)."""

    heeds_fixed: bool = True

    def build(self):
        coefficients = Coefficients(left=Uniform(0.2, 3.0), right=Fixed(1.0))
        if self.heeds_fixed:
            coefficients = self.training_coefficients(coefficients)
        inputs = {
            "x": keras.Input((1,), name="x"),
            "coefficients": keras.Input((2,), name="coefficients"),
        }
        hidden = layers.Dense(16, activation="tanh")(inputs["coefficients"])
        network = keras.Model(inputs, layers.Dense(1)(hidden) + 0 * inputs["x"])
        return LossConditionalModel(network, terms, coefficients)

    def batches(self, spec, first_batch):
        return [BATCH]


RECIPE = DialRecipe(
    steps=300, batch_size=8, learning_rate=0.02, warmup_steps=20, precision="float32"
)


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    workdir = tmp_path_factory.mktemp("comparison")
    return workdir, compare(RECIPE, VECTORS, None, BATCH, workdir, metrics)


def test_every_network_is_trained_and_measured(compared):
    workdir, found = compared
    assert sorted(path.name for path in workdir.iterdir()) == [
        *("fixed-0.5-1", "fixed-2-1", "one")
    ]
    best = [1 / 3, 2 / 3]
    np.testing.assert_allclose(found.many.totals(), best, rtol=0.02)
    np.testing.assert_allclose(found.one.totals(), best, rtol=0.1)
    np.testing.assert_allclose(
        found.regret(), 100 * (found.one.totals() / found.many.totals() - 1)
    )
    # Each was evaluated where it was trained.
    assert [row["left"] for row in found.many.coefficients] == [0.5, 2.0]
    places = found.many.points("place")[:, 0]
    np.testing.assert_allclose(places, [2 / 3, 1 / 3], atol=0.03)
    assert found.many_parameters == [found.one_parameters] * 2 == [65, 65]
    assert 0 < found.one_hours < 0.1
    assert len(found.many_hours) == 2


def test_trainings_are_not_repeated(compared):
    workdir, found = compared
    again = compare(RECIPE, VECTORS, None, BATCH, workdir, metrics)
    assert again.one.terms == found.one.terms
    assert again.many.terms == found.many.terms
    np.testing.assert_allclose(again.many_hours, found.many_hours, rtol=0.1)


def test_printed(compared):
    lines = str(compared[1]).splitlines()
    assert lines[0].split() == [
        *("left_coefficient", "right_coefficient", "left", "fixed", "right", "fixed"),
        *("place", "fixed", "total", "fixed", "regret", "%"),
    ]
    assert [line.split()[:2] for line in lines[1:3]] == [["0.5", "1"], ["2", "1"]]
    percent = f"{compared[1].regret()[1]:+.2f}"
    assert lines[2].split()[-1] == percent
    assert lines[-1].startswith("one network: 65 parameters, 0.0")
    assert "2 fixed networks: 130 parameters" in lines[-1]
    assert "saved: 50 % of the parameters" in lines[-1]


def test_table(compared):
    row = compared[1].table()[0]
    assert list(row) == [
        *("left_coefficient", "right_coefficient", "left", "right", "place", "total"),
        *("left_fixed", "right_fixed", "place_fixed", "total_fixed", "regret"),
    ]


def test_json_and_plot(compared, tmp_path):
    found = compared[1]
    found.to_json(tmp_path / "comparison.json")
    assert Comparison.from_json(tmp_path / "comparison.json") == found
    fields = json.loads((tmp_path / "comparison.json").read_text())
    assert fields["one_parameters"] == 65
    found.plot(tmp_path / "comparison.png")
    assert (tmp_path / "comparison.png").read_bytes().startswith(b"\x89PNG")


def test_refused_before_any_training(tmp_path):
    deaf = dataclasses.replace(RECIPE, heeds_fixed=False)
    with pytest.raises(RecipeError, match=r"DialRecipe\.build .* self\.training_coeff"):
        compare(deaf, VECTORS, None, BATCH, tmp_path)
    with pytest.raises(CoefficientError, match="left = 9"):
        compare(RECIPE, [[9.0, 1.0]], None, BATCH, tmp_path)
    assert not list(tmp_path.iterdir())


def test_an_interrupted_training_ends_the_comparison(tmp_path, monkeypatch):
    def interrupted(recipe, data, workdir, **options):
        return engine.TrainingResult(recipe.build(), 7, 1.0, finished=False)

    monkeypatch.setattr(engine, "train", interrupted)
    with pytest.raises(RecipeError, match="one stopped at step 7 of 300: call again"):
        compare(RECIPE, VECTORS, None, BATCH, tmp_path)


X = np.random.default_rng(0).normal(size=(64, 3)).astype("float32")
PAIRS = X, {"near": X, "far": -X}


def build():
    """Two outputs that want the opposite of one layer."""
    coefficients = Coefficients(far=Uniform(0.25, 4.0))
    x = keras.Input((3,), name="x")
    y = layers.Dense(3, name="y")(layers.Dense(8, name="hidden")(x))
    outputs = {name: layers.Identity(name=name)(y) for name in ("near", "far")}
    network = condition(keras.Model(x, outputs), coefficients)
    model = LossConditionalModel(network, coefficients=coefficients)
    model.compile(
        keras.optimizers.Adam(0.1),
        loss={"near": "mse", "far": "mse"},
        metrics={"far": ["mae"]},
        # It takes longer to compile than to train.
        jit_compile=False,
    )
    return model


def test_keras_objects():
    keras.utils.set_random_seed(0)
    found = compare(build, [[0.25], [4.0]], PAIRS, PAIRS, epochs=100, batch_size=64)
    # near (1 - k)² + far (1 + k)² for y = k x.
    power = np.square(X).mean()
    best = [power * 4 * far / (1 + far) for far in (0.25, 4.0)]
    np.testing.assert_allclose(found.many.totals(), best, rtol=0.02)
    np.testing.assert_allclose(found.one.totals(), best, rtol=0.1)
    assert [row["far"] for row in found.many.coefficients] == [0.25, 4.0]
    # Without what the dial added.
    plain = 3 * 8 + 8 + 8 * 3 + 3
    assert found.many_parameters == [plain, plain]
    assert found.one_parameters > plain
    assert set(found.one.metrics[0]) == {"far_mae"}
    assert "far_mae_fixed" in found.to_dataframe().columns


def test_a_held_model_trains_as_plain_loss_weights():
    keras.utils.set_random_seed(0)
    model = build()
    model.fixed_vector = np.array([4.0], "float32")
    start = model.network.get_layer("hidden").get_weights()
    plain = bake(model, far=4.0)
    losses = {"near": "mse", "far": "mse"}
    weights = {"near": 1.0, "far": 4.0}
    plain.compile("sgd", losses, loss_weights=weights, jit_compile=False)
    model.compile("sgd", losses, jit_compile=False)
    options = {"batch_size": 64, "shuffle": False, "verbose": 0}
    mine = model.fit(*PAIRS, **options).history["loss"]
    assert mine == plain.fit(*PAIRS, **options).history["loss"]
    assert not np.array_equal(start[0], model.network.get_layer("hidden").kernel)


def test_what_build_model_must_return():
    def plain():
        return keras.Sequential([keras.Input((1,)), layers.Dense(1)])

    def uncompiled():
        model = build()
        return LossConditionalModel(model.network, None, model.coefficients)

    with pytest.raises(
        CoefficientError, match="LossConditionalModel, got a Sequential"
    ):
        compare(plain, [[1.0]], PAIRS, PAIRS)
    with pytest.raises(CoefficientError, match="compiled model"):
        compare(uncompiled, [[1.0]], PAIRS, PAIRS)
    with pytest.raises(CoefficientError, match="far = 9"):
        compare(build, [[9.0]], PAIRS, PAIRS)
