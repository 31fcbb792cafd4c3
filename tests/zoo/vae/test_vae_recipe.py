import dataclasses

import numpy as np
import pytest

from yoto_tf import zoo
from yoto_tf.tradeoff import sweep
from yoto_tf.training.recipe import override
from yoto_tf.zoo.recipes import load_recipe
from yoto_tf.zoo.vae.pictures import load_pictures


def test_one_network_trades_kl_for_reconstruction(trained, recipe):
    model, _ = trained
    images = load_pictures(recipe.data, recipe.image_shape)
    batch = {"image": images.astype("float32") / 255}
    points = sweep(model, batch, model.coefficients.grid(5))
    kl, reconstruction = points.points("kl", "reconstruction").T
    assert (np.diff(kl) < 0).all()
    assert (np.diff(reconstruction) > 0).all()
    assert kl[0] > 5
    assert kl[-1] < 1


def test_fixed_recipe_builds_a_network_without_conditioning(recipe):
    fixed = override(recipe, ["fixed=4"]).build()
    assert fixed.coefficients.ranges() == {"kl": (4.0, 4.0)}
    fixed.network.build(None)
    assert not [w.path for w in fixed.network.weights if "film" in w.path]


def test_batches_are_crops_of_the_enlarged_pictures(recipe):
    batch = recipe.batches(recipe.data, 0)[0]["image"]
    assert batch.shape == (16, 8, 8, 3)
    plain = dataclasses.replace(recipe, enlarged=None, image_shape=(12, 16, 3))
    batches = plain.batches(recipe.data, 0)
    images = load_pictures(recipe.data, (12, 16, 3)).astype("float32") / 255
    for image in batches[0]["image"]:
        assert np.isclose(images, image).all((1, 2, 3)).any()


def test_shapes_need_no_data_set():
    recipe = load_recipe("vae/shapes")
    batch = recipe.batches(recipe.data, 0)[0]["image"]
    assert batch.shape == (64, 32, 32, 3)
    # One figure on a dark ground.
    assert 0.01 < (batch.max(-1) > 0.5).mean() < 0.25


def test_release_is_a_model_with_a_card(trained, recipe):
    _, directory = trained
    vae = zoo.load(directory)
    assert "400 steps of 16 pictures" in vae.card
    assert vae.sample(2, kl=4.0).shape == (2, 8, 8, 3)
    assert vae.release.ranges == {"kl": (0.125, 512.0)}


@pytest.mark.parametrize(
    ("name", "shape", "ends"),
    [
        ("vae/cifar10", (32, 32, 3), (0.125, 512.0)),
        ("vae/mnist", (28, 28, 1), (0.125, 512.0)),
        ("vae/shapes", (32, 32, 3), (0.5, 32.0)),
    ],
)
def test_recipes_of_the_zoo_build_and_release_under_16_megabytes(name, shape, ends):
    network = load_recipe(name).build().network
    network.build(None)
    assert network.image_shape == shape
    assert network.coefficients.ranges() == {"kl": ends}
    assert 2 * network.count_params() < 16e6
