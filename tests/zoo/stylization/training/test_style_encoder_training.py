import dataclasses

import numpy as np
import pytest

from yoto_tf import zoo
from yoto_tf.cli import main
from yoto_tf.zoo.recipes import load_recipe
from yoto_tf.zoo.stylization.losses import gram_matrix
from yoto_tf.zoo.stylization.paintings import painting_files
from yoto_tf.zoo.stylization.styles import vector_of
from yoto_tf.zoo.stylization.training.style_encoder import (
    ShownStyle,
    recolored,
    with_style_encoder,
)

FIELDS = {
    "patch_size": 32,
    "style_size": 48,
    "shown_size": 32,
    "batch_size": 2,
    "warmup_steps": 5,
    "precision": "float32",
}


@pytest.fixture
def recipe(stylizer_folder, paintings, features_file):
    return dataclasses.replace(
        load_recipe("stylization/style_encoder"),
        base=str(stylizer_folder),
        styles=str(paintings),
        features=str(features_file),
        **FIELDS,
    )


@pytest.fixture(scope="module")
def trained(stylizer_folder, paintings, photographs, features_file, tmp_path_factory):
    """A stylizer whose encoder has learned for a few steps, by the command."""
    work = tmp_path_factory.mktemp("encoder") / "work"
    fields = [f"{name}={value}" for name, value in FIELDS.items()]
    command = ["train", "stylization/style_encoder", "--from", str(stylizer_folder)]
    command += ["--data", str(photographs), "--workdir", str(work), "--steps", "60"]
    command += ["--set", f"styles={paintings}", f"features={features_file}", *fields]
    assert main([*command, "learning_rate=0.003"]) == 0
    return zoo.load(work / "release")


def shown_style(recipe):
    return recipe.terms(painting_files(recipe.styles).values(), ShownStyle)


def test_all_but_the_encoder_stays_bit_for_bit(stylizer, trained, photograph):
    before, after = stylizer.release.weights, trained.release.weights
    new = after.keys() - before.keys()
    assert new
    assert all(path.startswith("style_encoder/") for path in new)
    for path, weight in before.items():
        np.testing.assert_array_equal(after[path], weight, err_msg=path)
    for name in stylizer.styles:
        expected = stylizer.stylize(photograph[:48, :48], name)
        actual = trained.stylize(photograph[:48, :48], name)
        np.testing.assert_array_equal(actual, expected)


def test_a_new_encoder_predicts_about_the_mean_of_the_styles(stylizer, photograph):
    release = with_style_encoder(stylizer.release)
    rows = [vector_of(stylizer.release.weights, name) for name in stylizer.styles]
    found = zoo.stylization.Stylizer(release).predict_style(photograph)
    np.testing.assert_allclose(found, np.mean(rows, axis=0), atol=0.2)
    assert with_style_encoder(release) is release


def test_what_it_predicts_comes_nearer_to_what_it_is_shown(
    recipe, stylizer, trained, photographs
):
    batch = recipe.batches(str(photographs), 0)[1000]
    batch["coefficients"] = np.full((2, 5), 0.1, "float32")
    terms, losses = shown_style(recipe), []
    for release in (with_style_encoder(stylizer.release), trained.release):
        network = release.network()
        style = network.predict_style(batch["painting"])
        found = terms(batch, network({**batch, "style": style}))
        losses.append(sum(np.mean(found[f"style_{n}"]) for n in range(1, 5)))
    assert losses[1] < losses[0]


def test_the_aim_is_the_style_of_what_is_shown(recipe, photographs):
    batch = recipe.batches(str(photographs), 0)[0]
    terms = shown_style(recipe)
    targets = terms.targets(batch)
    assert tuple(targets) == terms.style_layers
    for layer, target in targets.items():
        expected = gram_matrix(terms.features(batch["painting"])[layer])
        np.testing.assert_allclose(target, expected, rtol=1e-5)
    of_itself = terms({**batch, "image": batch["painting"]}, batch["painting"])
    np.testing.assert_allclose(of_itself["style_2"], 0, atol=1e-6)


def test_batches_depend_on_their_number_alone(recipe, photographs):
    batches = recipe.batches(str(photographs), 0)
    first, again, other = batches[3], batches[3], batches[4]
    later = recipe.batches(str(photographs), 3)[0]
    assert first["painting"].shape == (2, 32, 32, 3)
    assert first["painting"].dtype == np.float32
    for name, values in first.items():
        np.testing.assert_array_equal(again[name], values)
        np.testing.assert_array_equal(later[name], values)
    assert not np.array_equal(other["painting"], first["painting"])
    halves = [batches.part(n, 2)[3]["painting"] for n in range(2)]
    np.testing.assert_array_equal(np.concatenate(halves), first["painting"])


def test_other_colours(rng):
    image = rng.random((8, 8, 3), "float32")
    for seed in range(20):
        other = recolored(image, np.random.default_rng(seed))
        assert other.shape == image.shape
        assert other.dtype == np.float32
        assert 0 <= other.min() <= other.max() <= 1
        assert not np.allclose(other, image)
