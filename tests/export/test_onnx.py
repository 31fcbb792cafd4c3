"""Models on ONNX Runtime."""

import sys

import keras
import numpy as np
import pytest
from example_inputs import example_inputs
from manifests import manifest
from small_models import KINDS

import yoto_tf as yoto
from yoto_tf.errors import RecipeError
from yoto_tf.export import export
from yoto_tf.export.families import describe
from yoto_tf.export.sizes import with_sizes

onnxruntime = pytest.importorskip("onnxruntime")
pytest.importorskip("tf2onnx")

# Batch, height and width.
SIZES = [(1, 64, 64), (2, 80, 100)]


@pytest.fixture(scope="module")
def converted(exported):
    """Function of a kind to the folder of its files."""
    return lambda kind: exported(kind, "onnx")


def answer(path, inputs):
    """{name: array} that a file gives."""
    session = onnxruntime.InferenceSession(path)
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, inputs), strict=True))


@pytest.mark.parametrize("kind", KINDS)
def test_runtime_gives_what_keras_does(kind, model_of, converted, photograph):
    import tensorflow as tf

    signatures = manifest(converted(kind))["signatures"]
    for batch, height, width in SIZES:
        sizes = {"batch": batch, "height": height, "width": width}
        if kind == "vae":
            sizes = {"batch": batch}
        exportable = with_sizes(describe(model_of(kind)), **sizes)
        assert list(signatures) == list(exportable.endpoints)
        for name, endpoint in exportable.endpoints.items():
            inputs = example_inputs(endpoint, photograph)
            expected = endpoint({key: tf.constant(x) for key, x in inputs.items()})
            found = answer(converted(kind) / f"{name}.onnx", inputs)
            assert found.keys() == signatures[name]["outputs"].keys()
            for key, wanted in expected.items():
                array = found[f"{key}_out" if key in inputs else key]
                wanted = wanted.numpy()
                assert array.dtype == wanted.dtype
                assert array.shape == wanted.shape
                if array.dtype.kind == "i":
                    # A number between two integers may be rounded to either.
                    assert np.mean(array != wanted) < 1e-3, (name, key)
                    assert not name.startswith("scales") or (array == wanted).all()
                else:
                    np.testing.assert_allclose(
                        array, wanted, rtol=1e-3, atol=1e-4, err_msg=f"{name} {key}"
                    )


@pytest.mark.parametrize("kind", ["vae", "stylizer", "Hyperprior"])
def test_coefficients_change_the_answer(kind, model_of, converted, photograph):
    sizes = {} if kind == "vae" else {"height": 64, "width": 64}
    exportable = with_sizes(describe(model_of(kind)), batch=2, **sizes)
    endpoint = exportable.endpoints[exportable.default]
    inputs = example_inputs(endpoint, photograph)
    inputs["image"][1] = inputs["image"][0]
    ranges = exportable.coefficients.ranges().values()
    # Each example has its own, and one beyond the range counts as its end.
    low, high = (np.array(ends, "float32") for ends in zip(*ranges, strict=True))
    path = converted(kind) / f"{exportable.default}.onnx"
    inputs["coefficients"] = np.stack([low, high])
    image = answer(path, inputs)["image_out"]
    assert np.abs(image[0] - image[1]).max() > 0.01
    inputs["coefficients"] = np.stack([low / 2, np.full_like(high, np.nan)])
    image_of_low = answer(path, inputs)["image_out"]
    np.testing.assert_allclose(image_of_low[0], image[0], atol=1e-5)


def test_free_sizes_have_names(converted):
    session = onnxruntime.InferenceSession(converted("Hyperprior") / "analyze.onnx")
    shapes = {value.name: value.shape for value in session.get_inputs()}
    assert shapes == {"image": ["B", "H", "W", 3], "coefficients": ["B", 1]}


def test_given_sizes_are_fixed(model_of, tmp_path, photograph):
    export(model_of("stylizer"), tmp_path / "a", "onnx", batch=1, height=32, width=48)
    session = onnxruntime.InferenceSession(tmp_path / "a" / "stylize.onnx")
    shapes = {value.name: value.shape for value in session.get_inputs()}
    assert shapes["image"] == [1, 32, 48, 3]
    assert session.get_outputs()[0].shape == [1, 32, 48, 3]


def test_release_lies_beside_the_files(model_of, converted):
    from yoto_tf import zoo

    folder = converted("vae")
    assert zoo.release_of(folder / "release").id == model_of("vae").release.id
    sizes = manifest(folder)["files"]
    assert sizes == {path.name: path.stat().st_size for path in folder.glob("*.onnx")}


class Inverse(keras.layers.Layer):
    """An operation that ONNX does not have."""

    def call(self, inputs):
        import tensorflow as tf

        return tf.linalg.inv(inputs)


def test_operation_that_onnx_does_not_have(tmp_path):
    inputs = keras.Input((3, 3), name="matrix")
    network = keras.Model(inputs, Inverse()(keras.layers.Dense(3)(inputs)))
    coefficients = yoto.Coefficients(a=yoto.Uniform(0.0, 1.0))
    conditioned = yoto.condition(network, coefficients)
    with pytest.raises(RecipeError) as caught:
        export(conditioned, tmp_path / "a", "onnx", coefficients=coefficients)
    assert str(caught.value) == (
        "ONNX cannot run serving_default: no such op as MatrixInverse"
    )
    assert not list(tmp_path.iterdir())


def test_without_tf2onnx(model_of, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tf2onnx", None)
    with pytest.raises(RecipeError, match=r"yoto_tf\[onnx\]"):
        export(model_of("vae"), tmp_path / "a", "onnx")
