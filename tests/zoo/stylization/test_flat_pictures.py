"""Pictures of one colour, in which an instance norm finds nothing but rounding."""

import os
import subprocess
import sys

import numpy as np
import pytest

from yoto_tf.zoo.stylization import stylizer as module
from yoto_tf.zoo.stylization.styles import stylizer_release
from yoto_tf.zoo.stylization.stylizer import Stylizer

COLORS = {"white": (255, 255, 255), "black": (0, 0, 0), "orange": (200, 120, 40)}


def flat(height, width, color):
    return np.full((height, width, 3), COLORS[color], "uint8")


@pytest.fixture(scope="module", params=["float32", "mixed_bfloat16"])
def released(request):
    return Stylizer(stylizer_release("stylization"), request.param)


@pytest.mark.parametrize("color", COLORS)
def test_a_flat_picture_stays_flat(released, color):
    for style in released.styles[::4]:
        stylized = released.stylize(flat(203, 333, color), style)
        assert len(np.unique(stylized.reshape(-1, 3), axis=0)) == 1, style


@pytest.mark.parametrize("color", ["white", "orange"])
def test_in_stripes_too(released, color, monkeypatch):
    picture = flat(203, 333, color)
    at_once = released.stylize(picture, "udnie")
    monkeypatch.setattr(module, "PIXELS_AT_ONCE", 1000)
    np.testing.assert_array_equal(released.stylize(picture, "udnie"), at_once)


def test_a_batch_as_a_server_computes_it(released):
    """The way of exported models, which is not that of a single picture."""
    pictures = np.stack([flat(64, 96, "white"), flat(64, 96, "black")])
    style = np.zeros((2, len(released.styles)), "float32")
    style[:, 3] = 1
    vector = np.stack([released.coefficients.vector()] * 2)
    inputs = {
        "image": pictures.astype("float32") / 255,
        "style": style,
        "coefficients": vector,
    }
    stylized = np.asarray(released.model(inputs))
    assert np.ptp(stylized, axis=(1, 2)).max() < 1 / 255


def test_a_picture_that_is_not_flat_has_structure(released):
    """One step of one colour in 256 is a picture; bfloat16 does not hold it."""
    picture = flat(64, 64, "orange")
    picture[:32, :, 0] += 1 if released.model.compute_dtype == "float32" else 8
    assert np.ptp(released.stylize(picture, "udnie"), axis=(0, 1)).min() > 50


def test_the_number_of_threads_does_not_matter(tmp_path):
    program = """
import sys
import numpy as np
from yoto_tf import zoo
stylizer = zoo.load("stylization")
pictures = [np.full((200, 301, 3), value, "uint8") for value in (0, 255)]
np.save(sys.argv[1], [stylizer.stylize(picture, "udnie") for picture in pictures])
"""
    results = []
    for threads in ("1", "2"):
        path = tmp_path / f"{threads}.npy"
        subprocess.run(
            [sys.executable, "-c", program, path],
            env={**os.environ, "TF_NUM_INTRAOP_THREADS": threads},
            check=True,
        )
        results.append(np.load(path))
    np.testing.assert_array_equal(*results)
