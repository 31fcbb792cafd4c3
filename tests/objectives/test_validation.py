import keras
import numpy as np
import pytest
from keras import layers

import yoto_tf as yoto
from yoto_tf.errors import CoefficientError
from yoto_tf.objectives.drawing import fixed_vectors
from yoto_tf.objectives.validation import ValidationVectors

COEFFICIENTS = yoto.Coefficients(
    near=yoto.LogUniform(0.01, 1), far=yoto.Uniform(-1, 1), still=yoto.Fixed(2.0)
)


def model(**options):
    keras.utils.set_random_seed(0)
    x = keras.Input((3,), name="x")
    hidden = layers.Dropout(0.5)(layers.Dense(8, activation="relu")(x))
    heads = {name: layers.Dense(1, name=name)(hidden) for name in COEFFICIENTS.names}
    made = yoto.LossConditionalModel(
        yoto.condition(keras.Model(x, heads), COEFFICIENTS), coefficients=COEFFICIENTS
    )
    made.compile("sgd", loss=dict.fromkeys(COEFFICIENTS.names, "mse"), **options)
    return made


def data(count=70):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(count, 3)).astype("float32")
    y = {n: rng.normal(size=(count, 1)).astype("float32") for n in COEFFICIENTS.names}
    return x, y


def evaluate(one, **options):
    return one.evaluate(*data(), verbose=0, return_dict=True, **options)


def test_an_unchanged_model_has_the_same_loss_at_every_pass():
    one = model()
    first = evaluate(one)
    assert evaluate(one) == first
    # Batches of another size: other examples for the last ones only.
    in_tens = evaluate(one, batch_size=10)["loss"]
    assert in_tens == pytest.approx(evaluate(one, batch_size=35)["loss"], rel=1e-6)
    one.optimizer.learning_rate = 0.0
    history = one.fit(*data(), validation_data=data(), epochs=3, verbose=0).history
    assert history["val_loss"] == pytest.approx([first["loss"]] * 3, rel=1e-6)
    assert len(set(history["loss"])) == 3


def test_validation_leaves_the_random_numbers_of_training_alone():
    losses = []
    for validation in (None, data()):
        one = model()
        keras.utils.set_random_seed(3)
        one.seed_generator.state.assign([7, 0])
        history = one.fit(*data(), validation_data=validation, epochs=3, verbose=0)
        losses.append(history.history["near_loss"])
    assert losses[0] == losses[1]


def test_vectors_cover_the_distribution_evenly():
    vectors = fixed_vectors(COEFFICIENTS)
    COEFFICIENTS.validate(vectors)
    for name, column in zip(COEFFICIENTS.names, vectors.T, strict=True):
        law = COEFFICIENTS.independent[name]
        if name == "still":
            assert (column == 2.0).all()
            continue
        edges = law.quantile(np.linspace(0, 1, 17))
        for part in (vectors[:32], vectors):
            counts, _ = np.histogram(column[: len(part)], edges)
            assert (counts == len(part) / 16).all()


def test_vectors_on_the_simplex_follow_their_law():
    law = yoto.Dirichlet(a=0.5, b=2.0, c=1.0)
    vectors = fixed_vectors(yoto.Coefficients(law), 1024)
    np.testing.assert_allclose(vectors.sum(1), 1, rtol=1e-5)
    mean, deviation = law.moments()
    np.testing.assert_allclose(vectors.mean(0), mean, atol=0.003)
    np.testing.assert_allclose(vectors.std(0), deviation, atol=0.005)


def test_chosen_vectors_are_reported_one_by_one(tmp_path):
    settings = [{"near": 0.05, "far": -0.5}, {"near": 1.0}]
    one = model(validate_at=settings, metrics={"far": ["mae"]})
    found = evaluate(one)
    keys = ("near_0p05_far_m0p5", "near_1_far_0")
    x, y = data()
    totals = []
    for setting, key in zip(settings, keys, strict=True):
        outputs = one.predict_at(x, **setting)
        terms = {name: np.mean((outputs[name] - y[name]) ** 2) for name in outputs}
        vector = COEFFICIENTS.vector(**setting)
        weights = dict(zip(COEFFICIENTS.names, vector, strict=True))
        totals.append(sum(weights[name] * term for name, term in terms.items()))
        assert found[f"loss_at_{key}"] == pytest.approx(totals[-1], rel=1e-4)
        for name, term in terms.items():
            assert found[f"{name}_loss_at_{key}"] == pytest.approx(term, rel=1e-4)
    assert found["loss"] == pytest.approx(np.mean(totals), rel=1e-4)
    mae = [np.abs(one.predict_at(x, **s)["far"] - y["far"]).mean() for s in settings]
    assert found["far_mae"] == pytest.approx(np.mean(mae), rel=1e-4)

    name = f"{{epoch}}-{{val_near_loss_at_{keys[0]}:.3f}}.keras"
    checkpoint = keras.callbacks.ModelCheckpoint(tmp_path / name)
    history = one.fit(
        x, y, validation_data=(x, y), callbacks=[checkpoint], verbose=0
    ).history
    assert len(list(tmp_path.glob("1-*.keras"))) == 1
    assert not [key for key in history if "_at_" in key and not key.startswith("val_")]


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        (COEFFICIENTS.grid(5), r"1 to 16 vectors.*got 25"),
        ([], "got 0"),
        ([[0.1, 0.0, 2.0], [0.1, 0.0, 2.0]], "vectors that differ"),
        ([{"near": 7}], "near = 7 is outside"),
        ([{"neer": 0.1}], "Did you mean 'near'"),
    ],
)
def test_impossible_vectors(vectors, message):
    with pytest.raises(CoefficientError, match=message):
        ValidationVectors(COEFFICIENTS, vectors)
