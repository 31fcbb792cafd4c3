import keras
import numpy as np
import pytest

import yoto_tf as yoto
from yoto_tf.errors import CoefficientError, DataError, YotoError
from yoto_tf.tradeoff import Affinity

NAMES = ("up", "again", "down")


def model():
    """Three outputs of one layer: two want the same of it, one the opposite."""
    keras.utils.set_random_seed(0)
    x = keras.Input((4,), name="x")
    y = keras.layers.Dense(2, name="y")(x)
    outputs = {name: keras.layers.Identity(name=name)(y) for name in NAMES}
    coefficients = yoto.Coefficients(down=yoto.LogUniform(0.1, 10.0))
    network = yoto.condition(keras.Model(x, outputs), coefficients, layers="y")
    made = yoto.LossConditionalModel(network, coefficients=coefficients)
    made.compile("sgd", loss=dict.fromkeys(NAMES, "mse"), jit_compile=False)
    return made


def pairs():
    random = np.random.default_rng(0)
    x = random.normal(size=(96, 4)).astype("float32")
    y = x @ random.normal(size=(4, 2)).astype("float32")
    return x, {"up": y, "again": 3 * y, "down": -y}


@pytest.fixture(scope="module")
def measured():
    made = model()
    made.predict_at(pairs()[0], down=1.0)
    before = made.get_weights()
    found = yoto.affinity(made, pairs(), [[0.1], [10.0]], epochs=2)
    return made, before, found


def test_friends_help_and_enemies_fight(measured):
    _, _, found = measured
    assert set(found.names) == set(NAMES)
    assert found.coefficients == [{"down": pytest.approx(v)} for v in (0.1, 10.0)]
    at = {name: index for index, name in enumerate(found.names)}
    for matrix in found.matrices:
        # A step is made to take a hundredth off its own term.
        np.testing.assert_allclose(np.diag(matrix), 0.01, rtol=0.1)
        assert matrix[at["up"]][at["again"]] > 1e-4
        assert matrix[at["again"]][at["up"]] > 1e-4
        for friend in ("up", "again"):
            assert matrix[at[friend]][at["down"]] < -1e-4
            assert matrix[at["down"]][at[friend]] < -1e-4


def test_the_model_is_put_back(measured):
    made, before, _ = measured
    for old, new in zip(before, made.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    assert int(made.optimizer.iterations) == 0


def test_one_entry_by_hand():
    """A layer without a hidden one, and no training between: a step in NumPy."""
    x, targets = pairs()
    made = model()
    made.predict_at(x, down=1.0)
    kernel, bias = made.network.get_layer("y").get_weights()
    found = yoto.affinity(made, (x, targets), [[1.0]], batch_size=96)

    def loss(name, kernel, bias):
        return np.mean((x @ kernel + bias - targets[name]) ** 2)

    error = x @ kernel + bias - targets["up"]
    slopes = [2 * x.T @ error / error.size, 2 * error.sum(0) / error.size]
    # FiLM begins as the identity, whose scale and shift have gradients as well.
    film = made.network.get_layer("y_film").affine
    embedding = made.network.get_layer("coefficient_embedding")(np.ones((96, 1)))
    embedding = np.asarray(embedding)
    scale = 0.1 * 2 * error * (x @ kernel + bias) / error.size
    shift = 0.1 * 2 * error / error.size
    rows = np.concatenate([scale, shift], axis=1)
    slopes += [embedding.T @ rows, rows.sum(0)]
    assert film.kernel.shape == slopes[2].shape
    rate = 0.01 * loss("up", kernel, bias) / sum(np.sum(s**2) for s in slopes)
    step = [-rate * slope for slope in slopes]
    output = x @ (kernel + step[0]) + bias + step[1]
    change = 0.1 * (embedding @ step[2] + step[3])
    output = (1 + change[:, :2]) * output + change[:, 2:]
    after = np.mean((output - targets["again"]) ** 2)
    expected = 1 - after / loss("again", kernel, bias)
    row, column = found.names.index("up"), found.names.index("again")
    assert found.matrices[0][row][column] == pytest.approx(expected, rel=1e-2)


def test_groups():
    matrix = [[0.01, 0.005, -0.004], [0.003, 0.01, -0.002], [-0.01, -0.002, 0.01]]
    found = Affinity(["seg", "depth", "cls"], [{"a": 1.0}], [matrix])
    assert found.groups(1) == [("seg", "depth", "cls")]
    assert found.groups(2) == found.groups(3) == [("seg", "depth"), ("cls",)]
    friends = Affinity(["a", "b"], [{"a": 1.0}], [[[0.01, 0.002], [0.001, 0.01]]])
    assert friends.groups(2) == [("a", "b")]
    with pytest.raises(YotoError, match="1 or more networks"):
        found.groups(0)


def test_printed_stored_and_drawn(measured, tmp_path):
    _, _, found = measured
    lines = str(found).splitlines()
    assert lines[0].split()[2:5] == found.names
    assert [line.split()[0] for line in lines[1:]] == found.names
    assert len(found.to_dataframe()) == 2 * 9
    found.to_json(tmp_path / "affinity.json")
    assert Affinity.from_json(tmp_path / "affinity.json") == found
    found.plot(tmp_path / "affinity.png")
    assert (tmp_path / "affinity.png").read_bytes().startswith(b"\x89PNG")


def test_refused():
    made = model()
    with pytest.raises(CoefficientError, match="LossConditionalModel, got a"):
        yoto.affinity(made.network, pairs())
    with pytest.raises(CoefficientError, match="down = 99"):
        yoto.affinity(made, pairs(), [[99.0]])
    with pytest.raises(DataError, match="no batch"):
        yoto.affinity(made, [])
    with pytest.raises(YotoError, match="every"):
        yoto.affinity(made, pairs(), every=0)
    bare = yoto.LossConditionalModel(made.network, None, made.coefficients)
    with pytest.raises(YotoError, match="compile it first"):
        yoto.affinity(bare, pairs())
