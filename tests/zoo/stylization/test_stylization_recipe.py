import dataclasses
import json

import keras
import numpy as np
import pytest

from yoto_tf import zoo
from yoto_tf.errors import DataError, RecipeError
from yoto_tf.training import engine
from yoto_tf.training.recipe import override
from yoto_tf.zoo.recipes import load_recipe
from yoto_tf.zoo.release import Release, start_from
from yoto_tf.zoo.stylization import StyleNetwork
from yoto_tf.zoo.stylization.paintings import painting_files


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_a_training_makes_the_loss_fall(
    recipe, photographs, tmp_path, monkeypatch, precision
):
    monkeypatch.setattr(engine, "EPOCH_STEPS", 20)
    recipe = dataclasses.replace(recipe, precision=precision, learning_rate=3e-3)
    trained = engine.train(recipe, str(photographs), tmp_path, steps=200)
    lines = (tmp_path / "log.jsonl").read_text().splitlines()
    first, *_, last = map(json.loads, lines)
    before, after = (
        sum(record[f"style_{number}"] for number in range(1, 5))
        for record in (first, last)
    )
    assert after < 0.8 * before
    recipe.release(trained.model, tmp_path / "release")
    stylizer = zoo.load(tmp_path / "release")
    assert stylizer.styles == ("checks", "dots", "stripes")
    image = np.zeros((20, 30, 3), "uint8")
    assert stylizer.stylize(image, "dots").shape == image.shape


def test_the_loss_network_is_no_part_of_the_model(recipe):
    model = recipe.build()
    model.network.build(None)
    names = {weight.path.split("/")[0] for weight in model.network.weights}
    assert names == {model.network.name}
    averages = {f"{name}_average" for name in recipe.coefficients().names}
    others = [
        variable.path.split("/")[-1]
        for variable in model.variables
        if not any(variable is weight for weight in model.network.variables)
    ]
    assert set(others) - {"seed_generator_state"} == averages


def test_a_network_for_one_setting(recipe):
    fixed = override(recipe, ["fixed=1,0.1,0.1,0.1,0.2"])
    coefficients = fixed.build().coefficients
    np.testing.assert_allclose(coefficients.vector(), [1, 0.1, 0.1, 0.1, 0.2])


def test_the_ends_are_drawn_more_often_and_the_dial_stays(recipe):
    model = override(recipe, ["ends=True"]).build()
    generator = keras.random.SeedGenerator(0)
    drawn = np.log10(model.coefficients.sample(2000, generator))
    outer = np.abs(drawn - drawn.mean(axis=0)) > 0.35 * np.ptp(drawn, axis=0)
    # Uniform logarithms would have 0.3 there; those of the arcsine law have 0.506.
    np.testing.assert_allclose(outer.mean(axis=0), 0.506, atol=0.05)
    uniform = recipe.build().network
    assert model.network.coefficients.get_config() == uniform.coefficients.get_config()
    held = override(recipe, ["ends=True", "fixed=1,0.1,0.1,0.1,0.2"]).build()
    np.testing.assert_allclose(held.coefficients.vector(), [1, 0.1, 0.1, 0.1, 0.2])


def test_other_layers_and_their_number(recipe):
    settings = ["style_layers=block1_conv1,block2_conv1", "content_layer=block2_conv2"]
    model = override(recipe, settings).build()
    assert model.coefficients.names == ("content", "style_1", "style_2")
    assert set(model.objective.loss_terms.grams) == {
        "block1_conv1",
        "block2_conv1",
        "block2_conv2",
    }


def test_weights_of_0_1_are_trained_on_with_averages(recipe):
    """Their files do not say how they double."""
    files = painting_files(recipe.styles)
    before = StyleNetwork(recipe.coefficients(), files, recipe.width, recipe.blocks)
    before.build(None)
    release = Release.from_network("stylization", before)
    del release.config["config"]["upsampling"]
    network = recipe.build().network
    network.build(None)
    start_from(network, release)
    assert (before.upsampling, network.upsampling) == ("nearest", "linear")
    for old, new in zip(before.weights, network.weights, strict=True):
        np.testing.assert_allclose(new, old, rtol=1e-3, atol=1e-6)


def test_what_is_missing(recipe, tmp_path):
    with pytest.raises(DataError, match="a folder of paintings"):
        override(recipe, ["styles="]).build()
    with pytest.raises(DataError, match="no file of feature weights"):
        override(recipe, [f"features={tmp_path}/none.npz"]).build()
    with pytest.raises(RecipeError, match="names no data"):
        recipe.batches("", 0)


def test_two_paintings_of_one_name(recipe, tmp_path, paintings):
    for name in ("a.png", "a.jpg"):
        (tmp_path / name).write_bytes((paintings / "dots.png").read_bytes())
    with pytest.raises(DataError, match="both the style 'a'"):
        override(recipe, [f"styles={tmp_path}"]).build()


def test_all_recipes_are_of_this_family():
    small, large = (load_recipe(f"stylization/{name}") for name in ("small", "large"))
    assert large.patch_size > small.patch_size
    # Weights of the one are to be weights of the other.
    for field in ("width", "blocks", "style_layers", "lowest", "highest"):
        assert getattr(small, field) == getattr(large, field)
