"""Models on LiteRT's interpreter."""

import numpy as np
import pytest
from example_inputs import example_inputs
from manifests import manifest
from small_models import KINDS
from table_indexes import table_indexes

from yoto_tf.errors import RecipeError
from yoto_tf.export import export
from yoto_tf.export.families import describe
from yoto_tf.export.sizes import with_sizes

interpreter = pytest.importorskip("ai_edge_litert.interpreter")

# The largest difference to Keras relative to the spread of a network's answer.
TOLERANCES = {"float16": 0.01, "int8": 0.2}
# Batch, height and width.
SIZES = [(1, 64, 64), (2, 80, 100)]


@pytest.fixture(scope="module")
def converted(exported):
    """Function of a kind to the folder of its files."""
    return lambda kind: exported(kind, "litert")


def answer(path, inputs):
    """What a file's one signature gives."""
    model = interpreter.Interpreter(str(path))
    [(name, signature)] = model.get_signature_list().items()
    assert name == path.stem
    assert sorted(signature["inputs"]) == sorted(inputs)
    # Resizes the inputs to what it is given.
    return model.get_signature_runner(name)(**inputs)


def assert_near(found, expected, tolerance):
    assert found.keys() == expected.keys()
    for name, wanted in expected.items():
        wanted = np.array(wanted)
        assert found[name].dtype == wanted.dtype
        assert found[name].shape == wanted.shape
        error = np.abs(found[name].astype("float64") - wanted)
        assert np.mean(error) <= tolerance * np.std(wanted), name


@pytest.mark.parametrize("precision", ["float16", "int8"])
@pytest.mark.parametrize("kind", KINDS)
def test_device_gives_what_keras_does(kind, precision, model_of, converted, photograph):
    import tensorflow as tf

    names = manifest(converted(kind))["signatures"]
    for batch, height, width in SIZES:
        sizes = {"batch": batch, "height": height, "width": width}
        if kind == "vae":
            sizes = {"batch": batch}
        exportable = with_sizes(describe(model_of(kind)), **sizes)
        for name in names:
            endpoint = exportable.endpoints[name]
            inputs = example_inputs(endpoint, photograph)
            tensors = {key: tf.constant(array) for key, array in inputs.items()}
            expected = endpoint(tensors)
            found = answer(converted(kind) / precision / f"{name}.tflite", inputs)
            if name == "analyze" and "hyper_latents" in found:
                assert_exact_indexes(model_of(kind), inputs, found)
                del found["indexes"], expected["indexes"]
            if name.startswith("scales"):
                np.testing.assert_array_equal(found["indexes"], expected["indexes"])
                assert np.ptp(found["indexes"]) > 20
            assert_near(found, expected, TOLERANCES[precision])


def assert_exact_indexes(codec, inputs, found):
    """Those that a decoder will find for the hyper-latents."""
    for example, vector in enumerate(inputs["coefficients"]):
        level = codec.coding.levels.index(vector)
        arrays = (found[name][example] for name in ("hyper_latents", "symbols"))
        expected = table_indexes(codec.coding, *arrays, level)
        np.testing.assert_array_equal(found["indexes"][example], expected)


@pytest.mark.parametrize("kind", KINDS)
def test_builtin_ops_alone(kind, converted):
    for path in converted(kind).glob("*/*.tflite"):
        model = interpreter.Interpreter(str(path))
        for op in model._get_ops_details():
            assert "Flex" not in op["op_name"]
            assert op["op_name"] != "CUSTOM"


def test_int8_is_smaller_and_sizes_are_told(converted):
    folder = converted("Hyperprior")
    files = manifest(folder)["files"]
    assert files == {
        path.relative_to(folder).as_posix(): path.stat().st_size
        for path in folder.glob("*/*.tflite")
    }
    assert {path.split("/")[1] for path in files} == {
        f"{name}.tflite" for name in ("analyze", "scales", "synthesize")
    }
    assert files["int8/synthesize.tflite"] < 0.8 * files["float16/synthesize.tflite"]


def test_fixed_sizes(model_of, tmp_path):
    folder = tmp_path / "codec"
    sizes = {"batch": 1, "height": 64, "width": 128}
    export(model_of("FactorizedPrior"), folder, "litert", **sizes)
    model = interpreter.Interpreter(str(folder / "float16" / "synthesize.tflite"))
    inputs = {tensor["name"]: tensor for tensor in model.get_input_details()}
    [symbols] = (t for name, t in inputs.items() if "symbols" in name)
    assert symbols["shape_signature"].tolist() == [1, 4, 8, 32]


def test_op_that_devices_lack_is_named(tmp_path, capfd):
    import keras
    from keras import layers, ops

    import yoto_tf as yoto

    dial = yoto.Coefficients(sharpness=yoto.Uniform(0.0, 1.0))
    base = keras.Sequential(
        [keras.Input((3,), name="signal"), layers.Dense(4, ops.erf), layers.Dense(2)]
    )
    network = yoto.condition(base, dial)
    with pytest.raises(RecipeError, match=r"run serving_default: no such op as Erf$"):
        export(network, tmp_path / "model", "litert", coefficients=dial)
    assert list(tmp_path.iterdir()) == []
    # The converter's own account of it has many lines.
    assert capfd.readouterr().err == ""


def test_command(pretrained, tmp_path, capsys):
    from yoto_tf.cli import main

    arguments = ["export", "codec", str(tmp_path / "codec"), "--target", "litert"]
    assert main([*arguments, "--height", "0"]) == 2
    assert "height 0: expected a whole number from 1" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("precision", ["float16", "int8"])
@pytest.mark.parametrize("number", [np.nan, np.inf, 3e38, 0.0, -1.0, 1e-40, 1e-9])
def test_style_weights_that_nobody_checked(number, precision, converted):
    """What a server makes of them, a device makes, too, with its float16 constants."""
    inputs = {
        "image": np.full((1, 16, 16, 3), 0.5, "float32"),
        "style": np.full((1, 3), number, "float32"),
        "coefficients": np.full((1, 5), 0.1, "float32"),
    }
    path = converted("stylizer") / precision / "stylize.tflite"
    found = answer(path, inputs)["image"]
    alike = answer(path, {**inputs, "style": np.ones((1, 3), "float32")})["image"]
    np.testing.assert_allclose(found, alike, atol=1e-3)
