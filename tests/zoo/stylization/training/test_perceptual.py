import keras
import numpy as np
import pytest
from keras import ops

from yoto_tf.errors import DataError
from yoto_tf.zoo.stylization.training.perceptual import (
    PerceptualFeatures,
    read_weights,
    weights_of,
)

LAYERS = ("block1_conv2", "block3_conv1", "block3_conv3")


@pytest.fixture(scope="module")
def vgg16():
    """The architecture of Keras Applications with weights of its own."""
    keras.utils.set_random_seed(0)
    model = keras.applications.VGG16(include_top=False, weights=None)
    for layer in model.layers:
        if layer.weights:
            layer.bias.assign(np.linspace(-3, 3, layer.bias.shape[0]))
    return model


@pytest.fixture(scope="module")
def partial_file(vgg16, tmp_path_factory):
    """The first three blocks of it in a file, as in a partial set of weights."""
    arrays = {}
    for layer in vgg16.layers:
        if layer.weights and layer.name < "block4":
            kernel, bias = map(np.array, layer.weights)
            arrays |= {f"{layer.name}/kernel": kernel, f"{layer.name}/bias": bias}
    path = tmp_path_factory.mktemp("weights") / "vgg16.npz"
    np.savez(path, **arrays)
    return path


@pytest.fixture
def image(photograph):
    return photograph[None, 100:132, 200:240] / np.float32(255)


def test_with_max_pooling_they_are_those_of_the_keras_model(vgg16, image):
    found = PerceptualFeatures(weights_of(vgg16), LAYERS, pooling="max")(image)
    outputs = [vgg16.get_layer(name).output for name in LAYERS]
    pixels = keras.applications.vgg16.preprocess_input(255 * image)
    expected = keras.Model(vgg16.inputs[0], outputs)(pixels)
    for name, features in zip(LAYERS, expected, strict=True):
        scale = float(ops.max(ops.abs(features)))
        np.testing.assert_allclose(found[name], features, atol=1e-5 * scale)


def test_a_file_gives_the_same_numbers(vgg16, partial_file, image):
    from_model = PerceptualFeatures(weights_of(vgg16), LAYERS)(image)
    from_file = PerceptualFeatures(read_weights(partial_file), LAYERS)(image)
    for name in LAYERS:
        np.testing.assert_array_equal(from_file[name], from_model[name])


def test_average_pooling(vgg_weights, image):
    layers = ("block1_conv2", "block2_conv1")
    found = PerceptualFeatures(vgg_weights, layers)(image)
    before = np.array(found["block1_conv2"])
    pooled = before.reshape(1, 16, 2, 20, 2, -1).mean(axis=(2, 4))
    kernel, bias = vgg_weights["block2_conv1"]
    windows = np.lib.stride_tricks.sliding_window_view(
        np.pad(pooled, ((0, 0), (1, 1), (1, 1), (0, 0))), (3, 3), axis=(1, 2)
    )
    expected = np.einsum("bhwcyx,yxcd->bhwd", windows, kernel) + bias
    expected = np.maximum(expected, 0)
    np.testing.assert_allclose(found["block2_conv1"], expected, rtol=1e-4, atol=1e-3)


def test_only_what_is_asked_for(vgg_weights, image):
    features = PerceptualFeatures(vgg_weights, LAYERS)
    assert list(features(image, {"block1_conv2"})) == ["block1_conv2"]
    assert set(features(image)) == set(LAYERS)


def test_bfloat16_is_close_enough(vgg_weights, image):
    exact = PerceptualFeatures(vgg_weights, LAYERS)(image)
    rounded = PerceptualFeatures(vgg_weights, LAYERS, dtype="bfloat16")(image)
    for name in LAYERS:
        assert rounded[name].dtype == "bfloat16"
        error = np.array(ops.cast(rounded[name], "float32")) - exact[name]
        assert np.linalg.norm(error) < 0.01 * np.linalg.norm(exact[name])


def test_a_layer_that_the_weights_lack(vgg_weights):
    with pytest.raises(DataError, match=r"lack block4_conv1: they have block1_conv1,"):
        PerceptualFeatures(vgg_weights, ("block1_conv1", "block4_conv1"))
    with pytest.raises(DataError, match="such as block3_conv1, got 'relu3_1'"):
        PerceptualFeatures(vgg_weights, ("relu3_1",))


def test_files_that_are_no_weights(tmp_path):
    with pytest.raises(DataError, match="no file of feature weights at"):
        read_weights(tmp_path / "none.npz")
    damaged = tmp_path / "damaged.npz"
    damaged.write_bytes(b"PK\x03\x04 and no more")
    with pytest.raises(DataError, match="cannot read feature weights"):
        read_weights(damaged)
    foreign = tmp_path / "foreign.npz"
    np.savez(foreign, kernel=np.zeros(3))
    with pytest.raises(DataError, match="block1_conv1/kernel, got kernel"):
        read_weights(foreign)


def test_a_failed_download(monkeypatch):
    def fail(**options):
        raise Exception("URL fetch failure on\nhttps://example.org: None")

    monkeypatch.setattr(keras.applications, "VGG16", fail)
    with pytest.raises(DataError, match="URL fetch failure on https") as raised:
        read_weights()
    assert "\n" not in str(raised.value)
