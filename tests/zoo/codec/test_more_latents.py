import dataclasses

import numpy as np
import pytest

from yoto_tf.errors import RecipeError
from yoto_tf.zoo.codec.linear_start import start_as_linear_codec
from yoto_tf.zoo.codec.more_latents import MoreLatentsRecipe, start_with_fewer_latents
from yoto_tf.zoo.codec.recipe import CodecRecipe
from yoto_tf.zoo.release import Release

SMALL = {
    "steps": 1,
    "batch_size": 1,
    "learning_rate": 1e-3,
    "hyper_filters": 6,
    "precision": "float32",
}


def built(recipe):
    network = recipe.build().network
    network.build(None)
    return network


@pytest.fixture(scope="module")
def patches(photograph):
    sides = range(0, 129, 64)
    crops = [photograph[y : y + 128, x : x + 128] for y in sides for x in sides]
    return np.stack(crops) / np.float32(255)


@pytest.fixture(scope="module")
def trained(patches):
    """A codec with five latents, in the state in which trainings begin."""
    recipe = CodecRecipe(**SMALL, filters=(8, 12, 16, 5))
    model = recipe.build()
    model.network.build(None)

    start_as_linear_codec(model.network, patches)
    return Release.from_network("codec", model.network)


@pytest.fixture(scope="module")
def wider(trained, patches):
    network = built(MoreLatentsRecipe(**SMALL, filters=(8, 12, 16, 9)))
    start_with_fewer_latents(network, trained, patches)
    return network


@pytest.mark.parametrize("distortion", [0.0018, 0.02, 0.18])
def test_pictures_stay_what_they_were(trained, wider, patches, distortion):
    vector = np.full((len(patches), 1), distortion, "float32")
    inputs = {"image": patches, "coefficients": vector}
    before, after = trained.network()(inputs), wider(inputs)
    np.testing.assert_allclose(
        after["reconstruction"], before["reconstruction"], atol=1e-5
    )
    assert np.all(np.array(after["bits"]) >= np.array(before["bits"]) - 1e-3)


def test_new_latents_tell_what_gets_lost(trained, wider, patches):
    """A linear map of them makes up for a part of the error; of noise it could not."""
    network = trained.network()
    vector = np.full((len(patches), 1), 0.18, "float32")
    embedding = wider.embedding(vector)
    latents = np.array(wider.analyze(patches, embedding)).astype("float64")
    gain = np.exp(np.array(network.log_gain(embedding)))[:, None, None]
    pictures = network.synthesize(latents[..., :5] * gain, embedding)
    losses = patches - np.array(pictures)
    blocks = losses.reshape(-1, 8, 16, 8, 16, 3).transpose(0, 1, 3, 2, 4, 5)
    blocks = blocks.reshape(-1, 768)
    new = latents[..., 5:].reshape(len(blocks), -1)
    explained = new @ np.linalg.lstsq(new, blocks, rcond=None)[0]
    assert np.square(explained).sum() > 0.1 * np.square(blocks).sum()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"filters": (8, 12, 15, 9)},
            r"filters \(8, 12, 15, 9\).*filters \(8, 12, 16, 5\)",
        ),
        ({"hyper_filters": 7}, "hyper_filters 7.*hyper_filters 6"),
        ({"filters": (8, 12, 16, 5)}, "has 5 latents, the recipe 5: expected more"),
    ],
)
def test_other_codecs_are_refused(trained, patches, changes, message):
    recipe = MoreLatentsRecipe(**SMALL, filters=(8, 12, 16, 9))
    network = built(dataclasses.replace(recipe, **changes))
    with pytest.raises(RecipeError, match=message):
        start_with_fewer_latents(network, trained, patches)
