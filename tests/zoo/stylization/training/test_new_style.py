import dataclasses

import numpy as np
import pytest
from PIL import Image

from yoto_tf import zoo
from yoto_tf.cli import main
from yoto_tf.errors import DataError, RecipeError
from yoto_tf.zoo.recipes import load_recipe
from yoto_tf.zoo.stylization import add_style
from yoto_tf.zoo.stylization.paintings import read_painting
from yoto_tf.zoo.stylization.styles import with_style
from yoto_tf.zoo.stylization.training.new_style import start

FIELDS = {
    "patch_size": 32,
    "style_size": 48,
    "batch_size": 2,
    "warmup_steps": 5,
    "precision": "float32",
}


@pytest.fixture(scope="module")
def painting(tmp_path_factory):
    """Noise in two colours, like none of the other paintings."""
    pixels = np.random.default_rng(5).integers(0, 2, (60, 64, 1))
    pixels = np.where(pixels, [10, 250, 20], [250, 250, 250]).astype("uint8")
    path = tmp_path_factory.mktemp("new") / "my painting.png"
    Image.fromarray(pixels).save(path)
    return path


@pytest.fixture(scope="module")
def extended(stylizer, painting, photographs, features_file):
    return add_style(
        stylizer, painting, photographs, 40, features=str(features_file), **FIELDS
    )


def test_the_others_stay_bit_for_bit_and_the_new_one_is_learned(
    stylizer, extended, painting, photograph, rng
):
    assert extended.styles == (*stylizer.styles, "my_painting")
    before, after = stylizer.release.weights, extended.release.weights
    assert set(after) - set(before) == {
        "table/my_painting_embedding",
        "table/my_painting_modulation",
    }
    for path, weight in before.items():
        np.testing.assert_array_equal(after[path], weight, err_msg=path)
    batch = {
        "image": rng.random((5, 40, 37, 3), "float32"),
        "coefficients": rng.uniform(0.01, 1, (5, 5)).astype("float32"),
    }
    style = np.float32(
        [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0.3, 0.7, 0], [0.2, 0.3, 0.5]]
    )
    longer = np.pad(style, ((0, 0), (0, 1)))
    first = stylizer.model({**batch, "style": style})
    second = extended.model({**batch, "style": longer})
    np.testing.assert_array_equal(second, first)
    image = photograph[:48, :48]
    for name in stylizer.styles:
        expected = stylizer.stylize(image, name, style_1=0.5)
        actual = extended.stylize(image, name, style_1=0.5)
        np.testing.assert_array_equal(actual, expected)
    # The style's own numbers have left the mean of the others, but for what half
    # precision rounds away.
    first = beginning(stylizer, painting).weights
    for part in ("embedding", "modulation"):
        path = f"table/my_painting_{part}"
        assert (after[path] != first[path]).mean() > 0.8


def beginning(stylizer, painting):
    """The release that the training of a new style starts with."""
    vector = start(stylizer.release, read_painting(painting, 48))
    return with_style(stylizer.release, "my_painting", vector)


def test_the_new_style_comes_nearer_to_its_painting(
    stylizer, extended, painting, features_file, photographs
):
    recipe = dataclasses.replace(
        load_recipe("stylization/new_style"),
        styles=str(painting),
        features=str(features_file),
        **FIELDS,
    )
    terms = recipe.terms([painting])
    grams = {name: np.repeat(gram, 4, axis=0) for name, gram in terms.grams.items()}
    terms = dataclasses.replace(terms, grams=grams)
    batch = recipe.patches(str(photographs), 0)[1000]
    batch["style"] = np.eye(4, dtype="float32")[[3, 3]]
    batch["coefficients"] = np.full((2, 5), 0.1, "float32")
    losses = []
    for release in (beginning(stylizer, painting), extended.release):
        found = terms(batch, release.network()(batch))
        styles = [np.mean(found[f"style_{number}"]) for number in range(1, 5)]
        losses.append(sum(styles))
    assert losses[1] < 0.95 * losses[0]


def test_a_name_that_is_taken(stylizer, stylizer_folder, paintings):
    recipe = dataclasses.replace(
        load_recipe("stylization/new_style"),
        base=str(stylizer_folder),
        styles=str(paintings / "dots.png"),
    )
    with pytest.raises(RecipeError, match="a style 'dots' already"):
        recipe.build()


def test_a_style_encoder_says_where_to_start(sighted, painting):
    image = read_painting(painting, 48)
    found = start(sighted.release, image)
    np.testing.assert_array_equal(found, sighted.predict_style(image))


def test_more_than_one_painting(stylizer_folder, paintings):
    recipe = dataclasses.replace(
        load_recipe("stylization/new_style"),
        base=str(stylizer_folder),
        styles=str(paintings),
    )
    with pytest.raises(DataError, match="expected one painting, found 3"):
        recipe.build()


def test_a_model_that_is_no_stylizer(release_folder, painting):
    recipe = dataclasses.replace(
        load_recipe("stylization/new_style"),
        base=str(release_folder),
        styles=str(painting),
    )
    with pytest.raises(RecipeError, match="family codec, expected a stylizer"):
        recipe.build()


def test_the_command_adds_a_style(
    stylizer, stylizer_folder, painting, photographs, features_file, tmp_path
):
    fields = [f"{name}={value}" for name, value in FIELDS.items()]
    command = ["train", "stylization/new_style", "--from", str(stylizer_folder)]
    command += ["--add-style", str(painting), "--data", str(photographs)]
    command += ["--steps", "1", "--workdir", str(tmp_path / "work"), "--set"]
    assert main([*command, f"features={features_file}", *fields]) == 0
    extended = zoo.load(tmp_path / "work" / "release")
    assert extended.styles == (*stylizer.styles, "my_painting")


def test_a_recipe_that_adds_no_style(painting, capsys):
    command = ["train", "codec/large", "--add-style", str(painting)]
    assert main(command) == 2
    assert capsys.readouterr().err == (
        "yoto: codec/large has no option --add-style "
        "(see yoto train codec/large --help)\n"
    )
