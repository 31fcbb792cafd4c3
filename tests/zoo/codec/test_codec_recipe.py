import dataclasses

import numpy as np
import pytest

from yoto_tf import zoo
from yoto_tf.errors import YotoError
from yoto_tf.imaging.metrics import psnr
from yoto_tf.zoo.codec.training.linear_start import start_as_linear_codec
from yoto_tf.zoo.recipes import load_recipe


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"filters": (1, 2)}, r"filters must be four.*filters=\(1, 2\)"),
        ({"filters": (4, 4, 4, 0)}, "strictly positive value.*filters=0"),
        ({"hyper_filters": -3}, "strictly positive value.*filters=-3"),
        ({"lowest_distortion": 1.0}, "LogUniform needs 0 < low < high.*low=1.0"),
    ],
)
def test_impossible_networks(fields, message):
    recipe = dataclasses.replace(load_recipe("codec/large"), **fields)
    with pytest.raises(YotoError, match=message):
        recipe.build()


@pytest.mark.parametrize(
    ("fields", "film"),
    [({}, True), ({"film": False}, False), ({"fixed": (0.01,)}, False)],
)
def test_where_film_is(fields, film):
    recipe = dataclasses.replace(
        load_recipe("codec/small"), filters=(4, 4, 4, 4), hyper_filters=4, **fields
    )
    network = recipe.build().network
    network.build(None)
    names = [weight.path for weight in network.weights]
    assert any("analysis/film" in name for name in names) is film
    assert any("log_gain" in name for name in names)


def test_a_sloping_law_is_drawn_and_not_seen_by_the_network():
    fields = {"filters": (4, 4, 4), "hyper_filters": 4, "blocks": (1, 1, 1)}
    models = [
        dataclasses.replace(load_recipe("codec/residual"), **fields, **more).build()
        for more in ({}, {"slope": 0.6}, {"slope": 0.6, "fixed": (0.01,)})
    ]
    plain, sloping, fixed = (model.coefficients for model in models)
    median = [float(law.at(0.5)[0]) for law in (plain, sloping, fixed)]
    # (1 + slope) t − slope t² = 1/2 for t = 0.3615; the range is 0.0018 to 1.5.
    expected = [0.0018 * (1.5 / 0.0018) ** t for t in (0.5, 0.3615)]
    assert median == pytest.approx([*expected, 0.01], rel=1e-3)
    assert models[1].network.coefficients.get_config() == plain.get_config()


@pytest.mark.parametrize("eight_bits", [True, False])
def test_a_release_in_8_bits(eight_bits, photograph, tmp_path):
    fields = {"filters": (8, 8, 12), "hyper_filters": 4, "blocks": (1, 1, 1)}
    recipe = load_recipe("codec/context")
    recipe = dataclasses.replace(recipe, eight_bits=eight_bits, **fields)
    model = recipe.build()
    model.network.build(None)
    recipe.release(model, tmp_path / "release")
    codec = zoo.load(tmp_path / "release")
    kind = codec.release.weights["analysis/block_0_0/inner/kernel"].dtype
    assert kind == ("int8" if eight_bits else "float16")
    assert codec.release.weights["analysis/change_0/kernel"].dtype == "float16"
    image = photograph[:64, :64]
    decoded = codec.decompress(codec.compress(image, quality=0.5))
    np.testing.assert_array_equal(decoded, codec.reconstruct(image, quality=0.5))


def test_a_codec_without_film_turns_its_dial(photograph, tmp_path):
    recipe = dataclasses.replace(
        load_recipe("codec/small"),
        filters=(16, 32, 48, 64),
        hyper_filters=16,
        film=False,
    )
    model = recipe.build()
    model.network.build(None)
    patches = photograph[:512, :448].reshape(8, 64, 7, 64, 3).swapaxes(1, 2)
    patches = patches.reshape(-1, 64, 64, 3) / np.float32(255)
    start_as_linear_codec(model.network, patches)
    recipe.release(model, tmp_path / "release")
    codec = zoo.load(tmp_path / "release")
    small, large = (codec.compress(photograph, quality=q) for q in (0.0, 1.0))
    assert len(small) < len(large)
    qualities = [psnr(photograph, codec.decompress(file)) for file in (small, large)]
    assert qualities[0] + 2 < qualities[1]
