import json
import math

import keras
import numpy as np
import pytest
import vae_mends
from scipy import stats
from vae_mends import LogTriangular, collapsed, compared, dedicated, functional, mended

import yoto_tf as yoto
from yoto_tf.data import write_image
from yoto_tf.zoo.vae.conv_vae import ConvVAE
from yoto_tf.zoo.vae.losses import bernoulli_terms
from yoto_tf.zoo.vae.recipe import VAERecipe

DIAL = yoto.Coefficients(kl=yoto.LogUniform(0.125, 512))
SMALL = {
    "image_shape": (8, 8, 1),
    "channels": (2, 4),
    "hidden_units": 8,
    "latents": 3,
    "likelihood": "bernoulli",
    "film_units": 5,
}
RECIPE = VAERecipe(
    **SMALL, width=1, steps=2, batch_size=4, learning_rate=1e-3, data="unused"
)


@pytest.fixture
def batch():
    images = np.random.default_rng(0).random((4, 8, 8, 1), "float32")
    return {"image": images}


def test_the_law_of_the_living_part_favours_small_beta():
    law = LogTriangular(0.125, 512.0)
    drawn = np.log2(np.array(law.sample((50_000,), keras.random.SeedGenerator(0))))
    assert drawn.min() >= -3
    assert drawn.max() <= 9
    # Areas of a right triangle.
    for third, share in ((1, 5 / 9), (5, 8 / 9)):
        assert np.mean(drawn < third) == pytest.approx(share, abs=0.01)
    assert law.quantile(0.5) == pytest.approx(8.0)


def test_the_functional_model_computes_what_the_network_does(batch):
    network = ConvVAE(DIAL, **{**SMALL, "film_units": None})
    network.build()
    # Without a deviation there is no randomness.
    kernel, bias = network.encoder.posterior.weights
    kernel.assign(np.array(kernel) * ([1] * 3 + [0] * 3))
    bias.assign([0] * 3 + [-30] * 3)
    expected = network({**batch, "coefficients": np.ones((4, 1), "float32")})
    found = functional(network)(batch["image"])
    assert {*found} == {*expected}
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("how", ["gate", "lora"])
def test_every_layer_is_conditioned(how, batch):
    model = mended(RECIPE, how).build()
    kinds = {"gate": yoto.layers.Gate, "lora": yoto.layers.LoRA}
    found = [layer for layer in model.network.layers if isinstance(layer, kinds[how])]
    # Four convolutions and two dense layers on each side, and the likelihood's.
    assert len(found) == 4 + 2 + 2 + 4 + 1
    fixed = dedicated(mended(RECIPE, how), 4.0).build()
    assert isinstance(fixed.network, ConvVAE)
    # They start as the identity, at every β.
    vectors = np.array([[0.125], [0.125], [512.0], [512.0]], "float32")
    means = model.network({**batch, "coefficients": vectors})["posterior_mean"]
    other = model.network({**batch, "coefficients": vectors[::-1]})["posterior_mean"]
    np.testing.assert_allclose(means, other, rtol=1e-4, atol=1e-5)


def test_one_deviation_for_all_pixels(batch):
    recipe = mended(RECIPE, "deviation")
    network = recipe.build().network
    network.build()
    network.log_deviation.kernel.assign(np.full((32, 1), 0.1))
    vectors = np.array([[0.125], [1.0], [64.0], [512.0]], "float32")
    scale = np.array(
        network({**batch, "coefficients": vectors})["reconstruction_scale"]
    )
    assert scale.shape == (4, 8, 8, 1)
    assert (scale == scale[:, :1, :1]).all()
    assert len(np.unique(scale)) == 4
    assert dedicated(recipe, 1.0).mends == ("deviation",)


def test_free_bits_cost_nothing():
    recipe = mended(RECIPE, "bits")
    outputs = {
        "posterior_mean": np.array([[0, 0, 3.0], [0, 0, 3.0]], "float32"),
        "posterior_scale": np.ones((2, 3), "float32"),
        "logits": np.zeros((2, 8, 8, 1), "float32"),
    }
    inputs = {"image": np.zeros((2, 8, 8, 1), "float32")}
    coefficients = {"kl": np.array([0.5, 100.0], "float32")}
    terms = recipe.loss_terms()(inputs, outputs, coefficients)
    np.testing.assert_allclose(terms["kl"], [4.5 + 2 * 0.2, 4.5 + 2 * 0.001], 1e-5)
    assert recipe.measured_terms() is bernoulli_terms


def test_mends_of_the_dial_alone_share_their_dedicated_networks():
    recipes = {
        dedicated(mended(RECIPE, name), 1.0)
        for name in ("plain", "weights", "living", "annealed", "gate+weights", "lora")
    }
    assert len(recipes) == 1
    assert mended(RECIPE, "weights").build().objective.normalize_weights
    assert mended(RECIPE, "annealed").build().coefficients.is_annealed


def test_the_collapsed_network_draws_the_mean_picture():
    rng = np.random.default_rng(0)
    train, test = (rng.integers(0, 256, (9, 8, 8, 1), dtype="uint8") for _ in range(2))
    mean = train.mean(0) / 255
    picture = np.repeat(mean[None], 9, axis=0)
    logits = np.log(picture / (1 - picture)).astype("float32")
    outputs = {
        "posterior_mean": np.zeros((9, 3), "float32"),
        "posterior_scale": np.ones((9, 3), "float32"),
        "logits": logits,
    }
    terms = bernoulli_terms({"image": test / np.float32(255)}, outputs)
    found = collapsed(mended(RECIPE, "lora"), train, test)
    assert found == pytest.approx(float(np.mean(terms["reconstruction"])), rel=1e-4)
    law = stats.norm(2 * mean - 1, 2 * np.std(train / 255 - mean))
    expected = -law.logpdf(2 * (test / 255) - 1).sum((1, 2, 3)).mean()
    found = collapsed(mended(RECIPE, "deviation"), train, test)
    assert found == pytest.approx(expected, rel=1e-4)


def test_differences_are_shares_of_the_gap():
    one = [[70.0, 110.0, 205.0], [72.0, 110.0, 203.0]]
    fixed = [[60.0, 100.0, 200.0], [60.0, 100.0, 200.0]]
    found = compared(one, fixed, floor=200.0, values=100)
    np.testing.assert_allclose(found["nats_per_value"], [0.11, 0.1, 0.04])
    *shares, none = found["share_of_gap"]
    np.testing.assert_allclose(shares, [11 / 140, 0.1])
    # At the last β the dedicated network has collapsed itself.
    assert none is None
    assert found["mean_share"] == pytest.approx((11 / 140 + 0.1) / 2)
    assert found["spread"] == pytest.approx(2 / 140 / 2)


def test_without_a_gap_there_is_no_share():
    found = compared([[200.0]], [[199.99]], floor=200.0, values=100)
    assert (found["share_of_gap"], found["mean_share"]) == ([None], None)
    assert "|  |" in vae_mends.table({"betas": [512.0], "mends": {"plain": found}})


def test_mends_are_trained_and_compared(tmp_path, monkeypatch, capsys):
    (tmp_path / "pictures").mkdir()
    rng = np.random.default_rng(0)
    for number in range(8):
        picture = rng.integers(0, 256, (8, 8, 3), dtype="uint8")
        write_image(tmp_path / "pictures" / f"{number}.png", picture)
    results = tmp_path / "found.json"
    arguments = [
        *("--steps", "2", "--mends", "plain", "lora+weights", "--fixed-kl", "1"),
        *("--data", str(tmp_path / "pictures")),
        *("--evaluation", str(tmp_path / "pictures")),
        *("--workdir", str(tmp_path / "runs"), "--results", str(results), "--set"),
        *("image_shape=8,8,1", "channels=2", "hidden_units=4", "latents=2", "width=1"),
        *("film_units=4", "batch_size=4", "warmup_steps=0"),
    ]
    vae_mends.main(arguments)
    printed = capsys.readouterr().out
    report = json.loads(results.read_text())
    assert [*report["mends"]] == ["plain", "lora+weights"]
    assert report["steps"] == 2
    for found in report["mends"].values():
        [one], [[fixed]] = found["one"], found["fixed"]
        nats = (one["total"][0] - fixed["total"][0]) / 64
        assert found["nats_per_value"] == pytest.approx([nats])
        assert math.isfinite(found["collapsed_nats"])
    assert "| lora+weights | " in printed
    # Two networks with a dial, and one without that both share.
    assert len([*tmp_path.glob("runs/seed-0/*/*/recipe.json")]) == 3

    def train(*arguments, **options):
        raise AssertionError("trained twice")

    monkeypatch.setattr(vae_mends.engine, "_fit", train)
    vae_mends.main(arguments)
    assert json.loads(results.read_text())["mends"].keys() == report["mends"].keys()


def test_an_unknown_mend_is_refused(capsys):
    with pytest.raises(SystemExit) as stopped:
        vae_mends.main(["--mends", "plain", "prayer"])
    assert stopped.value.code == 2
    assert "among plain, weights" in capsys.readouterr().err
