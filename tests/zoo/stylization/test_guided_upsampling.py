import numpy as np
import pytest
from PIL import Image

from yoto_tf.zoo.stylization import guided_upsampling as module
from yoto_tf.zoo.stylization.guided_upsampling import smaller, upsample


@pytest.fixture
def image(photograph):
    return photograph[:331, :417]


@pytest.fixture
def small(image):
    return smaller(image, 83, 104)


def error(first, second):
    return np.abs(first.astype(float) - second).mean()


def enlarged(painted, image):
    picture = Image.fromarray(painted).resize(image.shape[1::-1], Image.LANCZOS)
    return np.asarray(picture)


@pytest.mark.parametrize("gain", [[1.0, 1.0, 1.0], [-0.6, 0.8, 0.3]])
def test_what_is_affine_in_the_brightness_is_as_sharp_as_the_photograph(image, gain):
    grey = np.dstack([np.uint8(np.rint(image.mean(axis=-1)))] * 3)

    def painted(picture):
        colors = 150 + np.float32(gain) * (picture.astype("float32") - 150)
        return np.uint8(np.rint(np.clip(colors, 0, 255)))

    small = smaller(grey, 83, 104)
    result = upsample(painted(small), small, grey)
    assert result.shape == image.shape
    assert result.dtype == np.uint8
    expected = painted(grey)
    assert error(result, expected) < 0.4 * error(
        enlarged(painted(small), grey), expected
    )


def test_strokes_that_are_not_in_the_photograph_stay(image, small, rng):
    painted = rng.integers(0, 256, (12, 15, 3)).astype("uint8")
    painted = enlarged(painted, small)
    back = smaller(upsample(painted, small, image), *small.shape[:2])
    assert painted.std() > 40
    assert error(back, painted) < 3


def test_noise_where_the_photograph_is_flat_is_not_put_in(rng):
    noisy = np.clip(rng.normal(128, 5, (160, 160, 3)), 0, 255).astype("uint8")
    small = smaller(noisy, 40, 40)
    painted = np.full_like(small, 90)
    painted[:, 20:] = 160
    result = upsample(painted, small, noisy).astype(float)
    assert result[:, :60].std() < 1
    assert result[:, 100:].std() < 1


def test_a_flat_picture_stays_flat():
    flat = np.full((100, 130, 3), 200, "uint8")
    small = smaller(flat, 25, 32)
    painted = np.zeros_like(small) + np.uint8([10, 120, 251])
    result = upsample(painted, small, flat)
    np.testing.assert_array_equal(result, np.zeros_like(flat) + painted[0, 0])


def test_stripes_leave_no_seam(image, small, monkeypatch):
    painted = 255 - small[..., ::-1]
    at_once = upsample(painted, small, image)
    for pixels in (1, 417 * 7, 417 * 100):
        monkeypatch.setattr(module, "_STRIPE_PIXELS", pixels)
        striped = upsample(painted, small, image).astype(int)
        # Pillow's boxes are float32.
        assert np.abs(striped - at_once).max() <= 1
        assert (striped != at_once).mean() < 0.001
