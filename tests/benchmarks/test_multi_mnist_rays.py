import numpy as np
import pytest
from conditioning_ways import example
from multi_mnist_rays import measure, show


@pytest.fixture
def digits():
    random = np.random.default_rng(0)
    patterns = np.kron(random.integers(0, 2, (10, 7, 7)), np.ones((4, 4)))
    labels = np.arange(80) % 10
    image = 200 * patterns[labels] + random.integers(0, 50, (80, 28, 28))
    return {"image": image[..., None].astype(np.uint8), "label": labels}


def test_one_against_dedicated(digits, tmp_path, monkeypatch, capsys):
    program = example("multi_mnist")
    monkeypatch.setattr(program, "BATCH_SIZE", 32)
    path = tmp_path / "rays.json"
    rays = [0, 24]
    stored = measure(program, digits, digits, rays, 10, path)
    assert list(stored) == ["steps", "one", "ray 0", "ray 24"]
    mean = show(program, stored, rays)
    one = stored["one"][0]["top_left"], stored["one"][0]["bottom_right"]
    other = [stored["ray 0"][0][name] for name in program.CORNERS]
    first = np.dot(program.PREFERENCES[0], one) / np.dot(program.PREFERENCES[0], other)
    printed = capsys.readouterr().out
    assert f"{first:.4f}" in printed
    assert f"mean ratio over 2 preferences: {mean:.4f}" in printed

    # What is stored is not trained again.
    monkeypatch.setattr(program, "train", None)
    monkeypatch.setattr(program, "fit", None)
    assert measure(program, digits, digits, rays, 10, path) == stored
