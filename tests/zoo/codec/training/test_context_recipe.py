import dataclasses

import numpy as np
import pytest
from keras import ops
from PIL import Image

from yoto_tf import Coefficients, LogUniform, zoo
from yoto_tf.data import Patches
from yoto_tf.errors import RecipeError
from yoto_tf.training.engine import train
from yoto_tf.zoo.codec import Codec, ResidualHyperprior
from yoto_tf.zoo.codec.training.context_training import LatentPatches
from yoto_tf.zoo.codec.training.residual_start import start_as_residual_codec
from yoto_tf.zoo.recipes import load_recipe

SHAPE = {"filters": (8, 16, 24), "blocks": (1, 1, 1), "hyper_filters": 8}


@pytest.fixture(scope="module")
def photographs(photograph, tmp_path_factory):
    folder = tmp_path_factory.mktemp("photographs")
    Image.fromarray(photograph).save(folder / "one.png")
    return str(folder)


@pytest.fixture(scope="module")
def base(photograph, tmp_path_factory):
    """The release of a codec without a context."""
    coefficients = Coefficients(distortion=LogUniform(0.0018, 1.5))
    network = ResidualHyperprior(coefficients, **SHAPE)
    network.build(None)
    start_as_residual_codec(network, photograph[None, :128, :128] / np.float32(255))
    folder = tmp_path_factory.mktemp("base") / "release"
    Codec.from_network(network).save(folder)
    return folder


def recipe(name, **fields):
    return dataclasses.replace(
        load_recipe(f"codec/{name}"),
        context_filters=8,
        patch_size=128,
        precision="float32",
        **SHAPE,
        **fields,
    )


def test_the_context_alone_is_trained(base, photographs, photograph, tmp_path):
    alone = recipe("context_alone", base=str(base), patches=8, steps=30, warmup_steps=5)
    trained = train(alone, photographs, tmp_path / "first")
    weights = zoo.release_of(base).weights
    network = trained.model.network
    for part, kept in (("analysis", True), ("scale_synthesis", False)):
        path = f"{part}/{'change' if kept else 'convolution'}_0/kernel"
        now = ops.convert_to_numpy(getattr(network, part).weights[0])
        assert np.array_equal(now.astype("float16"), weights[path]) is kept
    image = photograph[100:356, 200:456]
    alone.release(trained.model, tmp_path / "release")
    before, after = zoo.load(base), zoo.load(tmp_path / "release")
    np.testing.assert_array_equal(
        after.decompress(after.compress(image)), after.reconstruct(image)
    )
    assert len(after.compress(image)) < len(before.compress(image))

    # What all of it is trained from.
    network = recipe("context").build().network
    network.build(None)
    zoo.release.start_from(network, zoo.release_of(tmp_path / "release"))


def test_latents_are_those_of_the_network(base, photographs):
    network = zoo.release_of(base).network()
    patches = Patches(photographs, 128, 1, seed=3)
    latents = LatentPatches(network, patches, 3, 2)
    batch = latents[0]
    assert batch["latents"].shape == (2, 8, 8, 24)
    assert batch["hyper_latents"].shape == (2, 2, 2, 8)
    assert np.all((batch["coefficients"] >= 0.0018) & (batch["coefficients"] <= 1.5))
    again = LatentPatches(network, patches, 3, 2, first_batch=5)
    for name, array in latents[7].items():
        np.testing.assert_array_equal(again[2][name], array)
    law = Coefficients(distortion=LogUniform(0.5, 1.5))
    high = LatentPatches(network, patches, 3, 2, law=law)[0]["coefficients"]
    assert np.all((high >= 0.5) & (high <= 1.5))


def test_a_context_needs_a_codec_without_one():
    with pytest.raises(RecipeError, match="--set base="):
        recipe("context_alone").batches("photographs", 0)
