"""Models that XLA compiles, on this processor and, through JAX, for TPUs."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from c_api_process import answers
from example_inputs import example_inputs
from small_models import KINDS

import yoto_tf as yoto
from yoto_tf.errors import RecipeError
from yoto_tf.export import export

SIZES = {"batch": 2, "height": 80, "width": 64}


def sizes(kind):
    return {"batch": 2} if kind == "vae" else SIZES


def described(model, kind):
    from yoto_tf.export.families import describe
    from yoto_tf.export.sizes import with_sizes

    return with_sizes(describe(model), **sizes(kind))


@pytest.fixture(scope="module")
def compiled(exported):
    """Function of a kind to the folder of its SavedModel for TPUs."""
    return lambda kind: exported(kind, "tpu", **sizes(kind))


def assert_near(answer, expected, tolerance, kind=None):
    """Pictures and other real numbers within a tolerance, most integers equal."""
    assert answer.keys() == expected.keys()
    for name, wanted in expected.items():
        found, wanted = np.array(answer[name]), np.array(wanted)
        assert found.dtype == wanted.dtype
        assert found.shape == wanted.shape
        if found.dtype == np.int32:
            # Rounded from numbers that differ. Under a context symbols and tables
            # follow those around them, of which one that differs is enough.
            few = 0.1 if kind == "ContextHyperprior" else 0.01
            assert np.mean(np.abs(found - wanted) > 1) < few, name
        else:
            error = np.abs(found - wanted) / np.maximum(1, np.abs(wanted))
            assert error.max() < tolerance, name


@pytest.mark.parametrize("kind", KINDS)
def test_compiled_gives_what_keras_does(kind, model_of, compiled, photograph):
    import tensorflow as tf

    loaded = tf.saved_model.load(str(compiled(kind)))
    for name, endpoint in described(model_of(kind), kind).endpoints.items():
        inputs = example_inputs(endpoint, photograph)
        inputs = {key: tf.constant(array) for key, array in inputs.items()}
        expected = endpoint(inputs)
        # In float32, XLA differs by the order of sums alone.
        exact = tf.function(endpoint.__call__, autograph=False, jit_compile=True)
        assert_near(exact(inputs), expected, 1e-4)
        answer = loaded.signatures[name](**inputs)
        assert_near(answer, expected, 0.05)
        if name.startswith("scales"):
            np.testing.assert_array_equal(answer["indexes"], expected["indexes"])
            assert np.ptp(answer["indexes"]) > 20


@pytest.mark.parametrize("kind", KINDS)
def test_graph_suits_a_tpu(kind, compiled):
    import tensorflow as tf

    loaded = tf.saved_model.load(str(compiled(kind)))
    found = set()
    for function in loaded.signatures.values():
        assert all(tensor.shape.is_fully_defined() for tensor in function.inputs)
        assert all(tensor.shape.is_fully_defined() for tensor in function.outputs)
        library = function.graph.as_graph_def().library.function
        assert any("_XlaMustCompile" in definition.attr for definition in library)
        for definition in library:
            for node in definition.node_def:
                found |= {(node.op, attribute.type) for attribute in node.attr.values()}
    operations, dtypes = (set(kind) for kind in zip(*found, strict=True))
    assert not dtypes & {tf.string.as_datatype_enum, tf.float64.as_datatype_enum}
    assert not operations & {"PyFunc", "EagerPyFunc", "StatefulPyFunc"}
    if kind != "your_own":
        assert ("Conv2D", tf.bfloat16.as_datatype_enum) in found


def test_server_without_python_runs_it(compiled, model_of, photograph, tmp_path):
    endpoint = described(model_of("stylizer"), "stylizer").endpoints["stylize"]
    inputs = example_inputs(endpoint, photograph)
    [answer] = answers(compiled("stylizer"), [("stylize", inputs)], tmp_path)
    assert_near(answer, endpoint(inputs), 0.05)


def test_manifest_and_release_come_along(compiled):
    from yoto_tf import zoo

    folder = compiled("Hyperprior")
    text = (folder / "assets" / "yoto.json").read_text("utf-8")
    signatures = json.loads(text)["signatures"]
    assert signatures["synthesize"]["inputs"] == {
        "hyper_latents": {"dtype": "int32", "shape": [2, 2, 1, 8]},
        "symbols": {"dtype": "int32", "shape": [2, 8, 4, 32]},
        "coefficients": {"dtype": "float32", "shape": [2, 1]},
    }
    assert signatures["synthesize"]["outputs"]["image"]["shape"] == [2, 128, 64, 3]
    assert zoo.load(str(folder)).model_id


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        ("Hyperprior", {}, "pictures of any height and width, expected height and"),
        ("stylizer", {"height": 64}, "takes pictures of any width, expected width of"),
        ("stylizer", {"height": 0, "width": 64}, "height 0: expected a whole number"),
        ("stylizer", {"height": 15, "width": 64}, "height 15: .* of 16 pixels and mor"),
        ("vae", {"height": 16}, "height 16: .* has a fixed height"),
    ],
)
def test_sizes_are_checked(kind, options, message, model_of, tmp_path):
    with pytest.raises(RecipeError, match=message):
        export(model_of(kind), tmp_path / "model", "tpu", **options)
    assert list(tmp_path.iterdir()) == []


def test_size_that_nobody_can_give(tmp_path):
    import keras

    dial = yoto.Coefficients(sharpness=yoto.Uniform(0.0, 1.0))
    layers = [keras.layers.Conv1D(4, 3), keras.layers.Conv1D(1, 3)]
    base = keras.Sequential([keras.Input((None, 1), name="signal"), *layers])
    with pytest.raises(RecipeError, match="size open that is no batch, height or wid"):
        export(yoto.condition(base, dial), tmp_path / "model", "tpu", coefficients=dial)


def test_sizes_that_do_not_suit(tmp_path):
    import keras

    dial = yoto.Coefficients(sharpness=yoto.Uniform(0.0, 1.0))
    convolutions = [keras.layers.Conv2D(1, 3), keras.layers.Conv2D(1, 3)]
    base = keras.Sequential([keras.Input((None, None, 1), name="x"), *convolutions])
    with pytest.raises(RecipeError, match="does not work with B=1, H=3, W=9: "):
        export(
            yoto.condition(base, dial),
            tmp_path / "model",
            "tpu",
            coefficients=dial,
            height=3,
            width=9,
        )


def test_jax_lowers_for_tpus_and_agrees(
    model_of, compiled, photograph, tmp_path, saved_on_jax
):
    import tensorflow as tf

    requests = {}
    for kind in KINDS:
        if kind == "your_own":
            model_of(kind).network.save(tmp_path / "your_own.keras")
        else:
            model_of(kind).save(tmp_path / kind)
        for name, endpoint in described(model_of(kind), kind).endpoints.items():
            for key, array in example_inputs(endpoint, photograph).items():
                requests[f"{kind}/{name}/{key}"] = array
    np.savez(tmp_path / "requests.npz", **requests)
    found = saved_on_jax(__file__)
    for kind in KINDS:
        loaded = tf.saved_model.load(str(compiled(kind)))
        for name, endpoint in described(model_of(kind), kind).endpoints.items():
            inputs = example_inputs(endpoint, photograph)
            expected = loaded.signatures[name](
                **{n: tf.constant(array) for n, array in inputs.items()}
            )
            answer = {key: found[f"{kind}/{name}/{key}"] for key in expected}
            assert_near(answer, expected, 0.05, kind)
            if name.startswith("scales"):
                np.testing.assert_array_equal(answer["indexes"], expected["indexes"])


def answered_on_jax(folder):
    """Lowers all endpoints of the models in a folder, and runs what came of it."""
    import jax

    from yoto_tf.export.families import describe

    requests, found = {}, {}
    with np.load(folder / "requests.npz") as arrays:
        for path in arrays.files:
            kind, name, key = path.split("/")
            requests.setdefault(kind, {}).setdefault(name, {})[key] = arrays[path]
    for kind, of_kind in requests.items():
        model = model_on_jax(folder, kind)
        for name, endpoint in describe(model).endpoints.items():
            # Table indexes are computed in int64.
            only_tables = name.startswith("scales")
            with jax.experimental.enable_x64(name == "analyze" or only_tables):
                function = jax.jit(endpoint.__call__)
                lowered = jax.export.export(function, platforms=["tpu", "cpu"])(
                    of_kind[name]
                )
                assert lowered.platforms == ("tpu", "cpu")
                text = lowered.mlir_module()
                assert "stablehlo.custom_call" not in text
                # Scalars of Python are, in this mode.
                assert "xf64" not in text
                assert "bf16" in text or only_tables or kind == "your_own"
                for key, array in lowered.call(of_kind[name]).items():
                    found[f"{kind}/{name}/{key}"] = np.array(array)
    return found


def model_on_jax(folder, kind):
    import keras
    from small_models import your_own

    from yoto_tf import zoo
    from yoto_tf.export.families.your_own import ConditionedNetwork

    if kind == "your_own":
        network = keras.models.load_model(folder / "your_own.keras")
        return ConditionedNetwork(network, your_own().coefficients)
    return zoo.load(str(folder / kind), precision="mixed_bfloat16")


if __name__ == "__main__":
    # As on a TPU's machine: TensorFlow is not there to be imported.
    sys.modules["tensorflow"] = None
    np.savez(sys.argv[1], **answered_on_jax(Path(sys.argv[1]).parent))
