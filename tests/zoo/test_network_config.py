import json

import pytest

from yoto_tf import Coefficients, LogUniform, zoo
from yoto_tf.errors import RecipeError
from yoto_tf.zoo.network_config import check_network, without_modules
from yoto_tf.zoo.release import check_shapes

UNIFORM = {
    "class_name": "LogUniform",
    "registered_name": "yoto_tf>LogUniform",
    "config": {"low": 0.1, "high": 1.0},
}


def network(**config):
    coefficients = {
        "class_name": "Coefficients",
        "registered_name": "yoto_tf>Coefficients",
        "config": {"kl": UNIFORM},
    }
    return {
        "class_name": "ConvVAE",
        "registered_name": "yoto_tf.vae>ConvVAE",
        "config": {"coefficients": coefficients, **config},
    }


def keras_object(class_name, config, **others):
    return {"class_name": class_name, "config": config, **others}


@pytest.mark.parametrize("name", zoo.names())
def test_what_is_released_is_accepted(name):
    release = zoo.release_of(name)
    check_network(release.family, release.config)


@pytest.mark.parametrize(
    ("value", "named"),
    [
        (keras_object("Lambda", {}, module="keras.layers"), "'Lambda'"),
        (keras_object("Dense", {}, registered_name="Dense"), "'Dense'"),
        (keras_object("Dense", {}, registered_name=None), "'Dense'"),
        (keras_object("function", "relu", registered_name="function"), "'function'"),
        (keras_object("__lambda__", {"value": ["code"]}), "'__lambda__'"),
        (keras_object("__numpy__", {"value": 1, "dtype": "int8"}), "'__numpy__'"),
        (keras_object("__tensor__", {"value": 1, "dtype": "int8"}), "'__tensor__'"),
        ({**UNIFORM, "class_name": "Lambda"}, "'Lambda'"),
        ({**UNIFORM, "registered_name": "x>LogUniform"}, "'x>LogUniform'"),
        ({**UNIFORM, "module": "os"}, "module = 'os'"),
        ({**UNIFORM, "build_config": {}}, "build_config = {}"),
        ({**UNIFORM, "config": "relu"}, "config = 'relu'"),
        ({"module": "os"}, "None"),
        (network(), r"'yoto_tf\.vae>ConvVAE'"),
    ],
)
@pytest.mark.parametrize("depth", [0, 1, 2])
def test_whatever_else_keras_could_build_is_named(value, named, depth):
    for _ in range(depth):
        value = [{"inner": value}]
    with pytest.raises(
        RecipeError, match=f"^ConvVAE's configuration.*{named}"
    ) as caught:
        check_network("vae", network(film_units=value))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "config",
    [
        {**network(), "registered_name": "yoto_tf.codec>Hyperprior"},
        {**network(), "class_name": "Hyperprior"},
        {**network(), "module": "yoto_tf.zoo.vae.conv_vae"},
        {**network(), "compile_config": {}},
        UNIFORM,
        {},
        ["ConvVAE"],
        None,
    ],
)
def test_a_network_of_another_family_is_refused(config):
    with pytest.raises(RecipeError, match=r"^a network of the family vae"):
        check_network("vae", config)


@pytest.mark.parametrize("family", ["codex", "web", "../codec", "codec.codec", 1, None])
def test_an_unknown_family_is_refused(family):
    with pytest.raises(RecipeError, match="there is no family"):
        check_network(family, network())


def test_nothing_is_built_of_a_refused_configuration(tmp_path, release_folder):
    config = json.loads((release_folder / "config.json").read_text())
    called = tmp_path / "called"
    code = f"open({str(called)!r}, 'w').close()"
    config["network"]["config"]["filters"] = keras_object("__lambda__", {"value": code})
    for name in ("weights", "tables"):
        content = (release_folder / f"{name}.safetensors").read_bytes()
        (tmp_path / f"{name}.safetensors").write_bytes(content)
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(RecipeError, match="__lambda__"):
        zoo.load(tmp_path)
    assert not called.exists()


def test_modules_are_left_out_at_any_depth():
    import keras

    # A coefficient may have such a name.
    coefficients = Coefficients(module=LogUniform(0.1, 1.0), kl=LogUniform(0.1, 1.0))
    config = without_modules(keras.saving.serialize_keras_object(coefficients))
    assert config["config"] == {"module": UNIFORM, "kl": UNIFORM}
    again = keras.saving.deserialize_keras_object(config)
    assert again.ranges() == coefficients.ranges()
    check_network("vae", network(coefficients=config))


def test_a_class_of_another_name_in_python_is_named_as_it_is_registered():
    import keras

    from yoto_tf.zoo.stylization import StyleNetwork

    names = ("content", "style_1", "style_2", "style_3", "style_4")
    coefficients = Coefficients(**dict.fromkeys(names, LogUniform(0.1, 1.0)))
    network = StyleNetwork(coefficients, ("dots",), 0.125, 1, 4)
    config = without_modules(keras.saving.serialize_keras_object(network))
    assert config["class_name"] == "Transformer"
    check_network("stylization", config)


@pytest.mark.parametrize(
    ("config", "named"),
    [
        ({"latents": 10**9}, "latents = 1000000000"),
        ({"channels": [32, -(10**9)]}, "channels = -1000000000"),
        ({"channels": [10**400]}, "channels = 1000"),
        ({"channels": [1] * 10**6}, "1,000,000 channels"),
        ({str(number): 1 for number in range(2000)}, "2,002 config|2,001 config"),
        ({"channels": [[[1] * 1000] * 1000]}, "more than 20,000 values"),
        ({"channels": {"coefficients": [1] * 10**5}}, "more than 20,000 values"),
    ],
)
def test_numbers_that_would_take_for_ever(config, named):
    with pytest.raises(RecipeError, match=named) as caught:
        check_network("vae", network(**config))
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("depth", [100, 100_000])
def test_values_within_values(depth):
    value = []
    for _ in range(depth):
        value = [value]
    with pytest.raises(RecipeError, match="or 32 levels"):
        check_network("vae", network(channels=value))


@pytest.mark.parametrize(
    ("family", "name", "blocks"),
    [
        ("stylization", "stylization", 10**6),
        ("codec", "ResidualHyperprior", [1, 10**6, 1]),
        ("codec", "ContextHyperprior", [1, 1, 10**6]),
    ],
)
def test_layers_without_end_are_not_built(family, name, blocks):
    """Such a number is small enough for a width; the network itself refuses it."""
    if name in zoo.names():
        config = zoo.release_of(name).config
    else:
        config = {
            "class_name": name,
            "registered_name": f"yoto_tf.codec>{name}",
            "config": {"coefficients": network()["config"]["coefficients"]},
        }
    config = json.loads(json.dumps(config))
    config["config"]["blocks"] = blocks
    with pytest.raises(RecipeError, match="cannot be built: blocks must be at most 64"):
        check_shapes(family, config, {})


def test_coefficients_may_lie_anywhere():
    config = network(channels=[1])
    config["config"]["coefficients"]["config"]["kl"] = {
        "class_name": "Discrete",
        "registered_name": "yoto_tf>Discrete",
        "config": {"values": [10**9 + number for number in range(5000)]},
    }
    check_network("vae", config)
