import math

import numpy as np
import pytest

from yoto_tf.errors import DataError
from yoto_tf.imaging.metrics import bits_per_pixel, ms_ssim, ms_ssim_db, psnr


def picture(height, width, noise=0.0, seed=0):
    """Smooth waves of colour plus noise, uint8."""
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width]
    waves = [
        np.sin(rows / a) + np.cos(columns / b) for a, b in ((9, 7), (5, 20), (3, 4))
    ]
    image = 127 + 55 * np.stack(waves, axis=-1)
    image = image + random.normal(0, noise, image.shape) if noise else image
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)


class TestPsnr:
    def test_error_of_one_everywhere(self):
        a = np.full((4, 5, 3), 100, np.uint8)
        # 20 log10(255)
        assert psnr(a, a + 1) == pytest.approx(48.1308, abs=1e-4)

    def test_differences_do_not_wrap_around(self):
        black, white = np.zeros((2, 2, 3), np.uint8), np.full((2, 2, 3), 255, np.uint8)
        assert psnr(black, white) == psnr(white, black) == 0

    def test_error_is_averaged_over_all_channels(self):
        a = np.zeros((2, 2, 3), np.uint8)
        b = a.copy()
        b[..., 0] = 3
        assert psnr(a, b) == pytest.approx(10 * math.log10(255**2 / 3))

    def test_equal_pictures(self):
        assert psnr(picture(4, 4), picture(4, 4)) == math.inf

    @pytest.mark.parametrize(
        "other",
        [
            np.zeros((4, 5, 3), np.uint8),
            np.zeros((4, 4, 3)),
            np.zeros((4, 4), np.uint8),
        ],
    )
    def test_refused(self, other):
        with pytest.raises(DataError):
            psnr(picture(4, 4), other)


class TestMsSsim:
    @pytest.mark.parametrize("noise", [3, 30, 120])
    @pytest.mark.parametrize("shape", [(161, 161), (192, 256), (165, 203)])
    def test_equals_tensorflow(self, shape, noise):
        tf = pytest.importorskip("tensorflow")
        a, b = picture(*shape), picture(*shape, noise=noise)
        expected = float(tf.image.ssim_multiscale(a, b, 255))
        assert ms_ssim(a, b) == pytest.approx(expected, abs=1e-4)

    def test_equal_pictures(self):
        assert ms_ssim(picture(161, 170), picture(161, 170)) == pytest.approx(1)

    def test_negative_is_not_similar_at_all(self):
        a = picture(161, 170)
        assert ms_ssim(a, 255 - a) == 0

    @pytest.mark.parametrize("shape", [(160, 400), (400, 160)])
    def test_too_small(self, shape):
        with pytest.raises(DataError, match="161x161"):
            ms_ssim(picture(*shape), picture(*shape))

    @pytest.mark.parametrize("shape", [(200, 200), (200, 200, 1), (200, 200, 4)])
    def test_not_rgb(self, shape):
        image = np.zeros(shape, np.uint8)
        with pytest.raises(DataError, match=r"\[height, width, 3\]"):
            ms_ssim(image, image)


@pytest.mark.parametrize(("similarity", "db"), [(0.9, 10), (0.99, 20), (1.0, math.inf)])
def test_ms_ssim_db(similarity, db):
    assert ms_ssim_db(similarity) == pytest.approx(db)


def test_bits_per_pixel():
    assert bits_per_pixel(49152, 512, 768) == 1.0
