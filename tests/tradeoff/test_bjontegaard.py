import numpy as np
import pytest

from yoto_tf.errors import YotoError
from yoto_tf.tradeoff import bd_rate

# Kodak, bits per pixel and PSNR in dB, optimised for MSE. Sources:
# tensorflow/compression, results/image_compression/kodak/*/balle-2018-iclr-opt-mse.txt,
# and InterDigitalInc/CompressAI, results/image/kodak/
# compressai-bmshj2018-hyperprior_mse_cuda.json.
BALLE_2018 = (
    [0.115239, 0.185698, 0.301804, 0.468972, 0.686378, 0.966864, 1.307441, 1.727503],
    [
        *[27.106351, 28.679134, 30.616753, 32.554935],
        *[34.58096, 36.720366, 38.80796, 40.79492],
    ],
)
COMPRESSAI_HYPERPRIOR = (
    [0.131293, 0.208893, 0.319858, 0.478356, 0.668688, 0.938826, 1.259172, 1.660224],
    [
        *[27.581537, 29.196703, 30.972162, 32.838183],
        *[34.526264, 36.743348, 38.583848, 40.556866],
    ],
)


def test_a_curve_against_itself():
    assert bd_rate(*BALLE_2018, *BALLE_2018) == pytest.approx(0)


@pytest.mark.parametrize("factor", [0.9, 1.25])
def test_all_rates_scaled(factor):
    rate, quality = BALLE_2018
    scaled = factor * np.array(rate)
    percent = 100 * (factor - 1)
    assert bd_rate(scaled, quality, rate, quality) == pytest.approx(percent)


def test_published_curves():
    # -2.2 %, computed independently of this code from the two projects' files.
    found = bd_rate(*COMPRESSAI_HYPERPRIOR, *BALLE_2018)
    assert found == pytest.approx(-2.2, abs=0.05)


def test_only_the_shared_qualities_count():
    # log2 of the rate is a line over the quality, of slope 1 and 2: they differ by the
    # quality, whose mean over the shared interval 1 ... 3 is 2, hence a factor of 4.
    quality = np.array([0.0, 1.0, 2.0, 3.0])
    steep = np.array([1.0, 2.0, 3.0, 4.0])
    found = bd_rate(2 ** (2 * steep), steep, 2**quality, quality)
    assert found == pytest.approx(300)


def test_order_of_points_does_not_matter():
    rate, quality = COMPRESSAI_HYPERPRIOR
    expected = bd_rate(rate, quality, *BALLE_2018)
    assert bd_rate(rate[::-1], quality[::-1], *BALLE_2018) == expected


@pytest.mark.parametrize(
    ("rate", "quality", "reason"),
    [
        ([1, 2, 3], [30, 31, 32], "at least 4"),
        ([1, 2, 3, 4], [30, 31, 32], "at least 4"),
        ([1, 2, 3, 4], [30, 32, 31, 33], "rise"),
        ([1, 2, 2, 4], [30, 31, 32, 33], "rise"),
        ([0, 1, 2, 3], [30, 31, 32, 33], "positive"),
        ([1, 2, 3, 4], [30, 31, 32, float("inf")], "finite"),
        ([1, 2, 3, 4], [50, 51, 52, 53], "share"),
    ],
)
def test_refused(rate, quality, reason):
    for arguments in ((rate, quality, *BALLE_2018), (*BALLE_2018, rate, quality)):
        with pytest.raises(YotoError, match=reason) as error:
            bd_rate(*arguments)
        assert "\n" not in str(error.value)
