import keras
import numpy as np
import pytest

from yoto_tf.data import Examples
from yoto_tf.errors import DataError


@pytest.fixture
def arrays():
    image = np.arange(10, dtype=np.uint8)[:, None, None, None] * np.ones(
        (1, 2, 2, 1), np.uint8
    )
    return {"image": image, "label": np.arange(10)}


def test_unshuffled_is_one_pass_in_order(arrays):
    found = list(Examples(arrays, batch_size=4, shuffle=False))
    assert [batch["label"].tolist() for batch in found] == [
        [0, 1, 2, 3],
        [4, 5, 6, 7],
        [8, 9],
    ]
    assert Examples(arrays, batch_size=4, shuffle=False).num_batches == 3


def test_images_become_floats_and_labels_stay_with_them(arrays):
    batch = Examples(arrays, batch_size=4)[0]
    assert batch["image"].dtype == np.float32
    np.testing.assert_allclose(
        batch["image"][:, 0, 0, 0], batch["label"] / 255, rtol=1e-6
    )


def test_shuffled_passes_hold_each_example_once_in_new_orders(arrays):
    examples = Examples(arrays, batch_size=5)
    passes = [
        np.concatenate([examples[2 * i]["label"], examples[2 * i + 1]["label"]])
        for i in range(3)
    ]
    for labels in passes:
        assert sorted(labels) == list(range(10))
    assert len({tuple(labels) for labels in passes}) == 3


def test_shuffled_batches_all_have_one_shape(arrays):
    examples = Examples(arrays, batch_size=4)
    assert examples.num_batches is None
    assert {len(examples[i]["label"]) for i in range(7)} == {4}


def test_deterministic_and_carries_on(arrays):
    first = Examples(arrays, batch_size=4, seed=1)
    later = Examples(arrays, batch_size=4, seed=1, first_batch=5)
    other = Examples(arrays, batch_size=4, seed=2)
    np.testing.assert_array_equal(first[6]["label"], later[1]["label"])
    assert any((first[i]["label"] != other[i]["label"]).any() for i in range(4))


def test_evaluate_sees_every_example(arrays):
    class Count(keras.Model):
        def call(self, inputs):
            return keras.ops.cast(inputs["label"], "float32")

        def compute_loss(self, x, y, y_pred, sample_weight, training):
            return keras.ops.mean(y_pred)

    model = Count()
    model.compile()
    examples = Examples(arrays, batch_size=5, shuffle=False)
    assert model.evaluate(examples, verbose=0) == pytest.approx(4.5)


@pytest.mark.parametrize(
    ("lengths", "batch_size"), [((3, 4), 2), ((0, 0), 1), ((3, 3), 4)]
)
def test_refused(lengths, batch_size):
    arrays = {"image": np.zeros(lengths[0]), "label": np.zeros(lengths[1])}
    with pytest.raises(DataError):
        Examples(arrays, batch_size=batch_size)
