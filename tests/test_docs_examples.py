"""The example programs run, and do what they say, on data made here."""

import importlib.util
import json
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

EXAMPLES = Path(__file__).parent.parent / "docs" / "examples"


def load(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def multi_mnist():
    return load("multi_mnist")


@pytest.fixture
def digits():
    """10 patterns in the place of the digits of MNIST, 160 pictures with some noise."""
    random = np.random.default_rng(0)
    patterns = np.kron(random.integers(0, 2, (10, 7, 7)), np.ones((4, 4)))
    labels = np.arange(160) % 10
    image = 200 * patterns[labels] + random.integers(0, 50, (160, 28, 28))
    return {"image": image[..., None].astype(np.uint8), "label": labels}


def test_denoiser(photograph, tmp_path):
    for name, tops in (("data", (0, 200)), ("test", (400,))):
        (tmp_path / name).mkdir()
        for top in tops:
            crop = Image.fromarray(photograph[top : top + 200])
            crop.save(tmp_path / name / f"{top}.png")
    out = tmp_path / "out"
    folders = ["--data", str(tmp_path / "data"), "--test", str(tmp_path / "test")]
    load("denoiser").main([*folders, "--steps", "150", "--out", str(out)])

    front = json.loads((out / "denoiser.json").read_text())
    variation = [terms["smoothness"] for terms in front["terms"]]
    error = [terms["error"] for terms in front["terms"]]
    assert variation[-1] < 0.9 * variation[0]
    assert error[-1] > error[0]
    # The noise has a variance of 0.01.
    assert error[0] < 0.008
    # Noisy, four settings, clean, below a line of captions.
    assert Image.open(out / "denoiser.png").size == (6 * 192, 28 + 192)
    assert Image.open(out / "denoiser_front.png").width > 100


def test_overlay_lays_different_digits_into_the_corners(multi_mnist):
    labels = np.arange(10)
    squares = np.ones((10, 28, 28, 1), np.uint8) * (1 + labels[:, None, None, None])
    digits = {"image": squares.astype(np.uint8), "label": labels}
    pictures = multi_mnist.overlay(digits, seed=0)
    image, first, second = (pictures[name] for name in ("image", *multi_mnist.CORNERS))
    assert image.shape == (20, 36, 36, 1)
    assert sorted(first) == sorted([*labels, *labels])
    assert (first != second).all()

    places = {True: set(), False: set()}
    for picture, one, other in zip(image[..., 0], 1 + first, 1 + second, strict=True):
        assert set(np.unique(picture)) <= {0, one, other}
        # The lighter of the two is seen as a whole.
        rows, columns = np.nonzero(picture == max(one, other))
        assert len(rows) == 28 * 28
        places[bool(one > other)].add((rows.min(), columns.min()))
    for is_top_left, found in places.items():
        offsets = np.array(list(found)) - (0 if is_top_left else 4)
        assert len(found) > 2
        assert offsets.min() >= 0
        assert offsets.max() <= 4


def test_cosmos_is_computed_of_the_mean_losses_of_a_batch(multi_mnist, digits):
    yoto = multi_mnist.yoto
    pictures = multi_mnist.overlay(digits, seed=0)
    batch = multi_mnist.WithOnePreference(pictures, batch_size=32)[0]
    weights = batch["coefficients"]
    assert (weights == weights[0]).all()
    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=1e-6)

    random = np.random.default_rng(0)
    logits = {name: random.normal(size=(32, 10)) for name in multi_mnist.CORNERS}
    model = yoto.LossConditionalModel(
        None,
        multi_mnist.mean_losses,
        multi_mnist.COEFFICIENTS,
        scalarization=multi_mnist.METHODS["cosmos"],
    )
    outputs = {name: keras.ops.convert_to_tensor(x) for name, x in logits.items()}
    total, _ = model.objective.score(batch, outputs, weights)

    losses = np.array(
        [
            np.mean(
                np.log(np.exp(logits[name]).sum(axis=1))
                - np.take_along_axis(logits[name], batch[name][:, None], axis=1)[:, 0]
            )
            for name in multi_mnist.CORNERS
        ]
    )
    a = weights[0]
    cosine = a @ losses / np.linalg.norm(a) / np.linalg.norm(losses)
    np.testing.assert_allclose(total, np.full(32, a @ losses - 2 * cosine), rtol=1e-5)


def test_the_weights_with_the_best_front_are_kept(multi_mnist, monkeypatch):
    volumes = iter([1.0, 3.0, 2.0])
    monkeypatch.setattr(multi_mnist, "measure", lambda *_: (None, next(volumes)))
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    best = multi_mnist.KeepBest(pictures=None)
    best.set_model(model)
    for epoch in range(3):
        model.set_weights([np.full((1, 1), epoch), np.zeros(1)])
        best.on_epoch_end(epoch)
    best.on_train_end()
    assert model.get_weights()[0] == 1


def test_multi_mnist(multi_mnist, digits, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(multi_mnist, "BATCH_SIZE", 64)
    test_digits = {name: array[:40] for name, array in digits.items()}
    # In two runs, of which the second keeps what the first has found.
    for methods in (["linear"], ["cosmos", "tchebycheff"]):
        multi_mnist.run(digits, test_digits, methods, 200, tmp_path)

    results = json.loads((tmp_path / "multi_mnist.json").read_text())
    assert list(results) == ["linear", "cosmos", "tchebycheff"]
    table = capsys.readouterr().out
    for method, result in results.items():
        # Guessing costs log 10 = 2.3, beyond the reference point, and gives 0.
        assert 0.05 < result["hypervolume"] < 4, method
        assert f"| {method}, here | {result['hypervolume']:.3f} | 53,262 |" in table
        assert result["test_pictures"] == 80
        preferences = [point["top_left_coefficient"] for point in result["front"]]
        assert len(preferences) == 25
        assert preferences == sorted(preferences, reverse=True)
    assert (tmp_path / "multi_mnist.png").stat().st_size > 0


@pytest.mark.parametrize(
    ("name", "epochs", "falls", "rises"),
    [
        ("heads", 25, "picture", None),
        ("fairness", 3, "gap", "error"),
        ("precision_recall", 40, "missed", "false_alarm"),
        ("backbone", 1, None, None),
    ],
)
def test_gallery(name, epochs, falls, rises, tmp_path):
    """One term is less at the high end of its coefficient, another is more."""
    load(name).main(["--epochs", str(epochs), "--out", str(tmp_path)])
    front = json.loads((tmp_path / f"{name}.json").read_text())
    low, high = front["terms"][0], front["terms"][-1]
    assert np.isfinite([*low.values(), *high.values()]).all()
    if falls:
        assert high[falls] < 0.95 * low[falls]
    if rises:
        assert high[rises] > 1.05 * low[rises]
    assert Image.open(tmp_path / f"{name}.png").width > 100
