"""Colourful pictures as files, and a small recipe that learns them in seconds."""

import numpy as np
import pytest

from yoto_tf.data import write_image


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """48 PNG files 16×12, each a vertical ramp between two colours."""
    path = tmp_path_factory.mktemp("ramps")
    rng = np.random.default_rng(0)
    weight = np.linspace(0, 1, 12)[:, None, None]
    for number in range(48):
        top, bottom = rng.integers(0, 256, (2, 1, 1, 3))
        ramp = np.broadcast_to((1 - weight) * top + weight * bottom, (12, 16, 3))
        write_image(path / f"{number:02}.png", np.rint(ramp).astype("uint8"))
    return path


@pytest.fixture(scope="session")
def recipe(folder):
    from yoto_tf.zoo.vae.recipe import VAERecipe

    return VAERecipe(
        data=str(folder),
        image_shape=(8, 8, 3),
        width=2,
        channels=(4, 8),
        hidden_units=16,
        latents=4,
        likelihood="gaussian",
        film_units=16,
        enlarged=10,
        steps=400,
        batch_size=16,
        learning_rate=3e-3,
        warmup_steps=20,
        steps_per_execution=50,
        precision="float32",
    )


@pytest.fixture(scope="session")
def trained(recipe, tmp_path_factory):
    """The model and the directory of its release."""
    from yoto_tf.training.engine import train

    workdir = tmp_path_factory.mktemp("vae")
    model = train(recipe, None, workdir).model
    recipe.release(model, workdir / "release")
    return model, workdir / "release"
