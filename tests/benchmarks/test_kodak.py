import json

import numpy as np
import pytest
from kodak import curve, measured_curves, published_curves, smaller

from yoto_tf.imaging.metrics import ms_ssim_db
from yoto_tf.tradeoff import bd_rate


def test_the_smaller_of_two_curves_that_cross():
    qualities = np.linspace(30, 40, 11)
    first = np.exp(0.1 * qualities), qualities
    second = np.exp(0.2 * (qualities - 35) + 3.5), qualities
    rates, reached = smaller(first, second)
    expected = np.minimum(0.1 * np.array(reached), 0.2 * (np.array(reached) - 35) + 3.5)
    np.testing.assert_allclose(np.log(rates), expected, atol=1e-9)
    assert bd_rate(rates, reached, *first) < 0
    assert bd_rate(rates, reached, *second) < 0


def test_where_only_one_curve_reaches_it_is_that_one():
    low = [0.1, 0.2], [30.0, 32.0]
    high = [0.3, 0.6], [31.0, 36.0]
    rates, reached = smaller(low, high)
    assert reached[0] == 30
    assert rates[0] == pytest.approx(0.1)
    assert reached[-1] == 36
    assert rates[-1] == pytest.approx(0.6)


def test_settings_that_another_one_dominates_are_left_out():
    points = [
        {"bits_per_pixel": rate, "psnr": quality}
        for rate, quality in ((0.2, 31.0), (0.1, 30.0), (0.3, 30.5), (0.4, 33.0))
    ]
    assert curve(points) == ([0.1, 0.2, 0.4], [30.0, 31.0, 33.0])


def test_curves_of_files(tmp_path):
    published = tmp_path / "published.json"
    published.write_text(
        json.dumps(
            {"a": {"psnr_rgb": [[1.0, 30.0]], "ms_ssim_rgb": [[1.0, 0.9], [2.0, 0.99]]}}
        )
    )
    [(name, qualities)] = published_curves(published).items()
    assert name == "a"
    assert qualities["psnr"] == ([1.0], [30.0])
    assert qualities["ms_ssim"][1] == pytest.approx([10.0, 20.0])
    points = [
        {"bits_per_pixel": rate, "psnr": 30 + rate, "ms_ssim": 1 - 0.1 / rate}
        for rate in (1.0, 2.0, 3.0)
    ]
    measured = tmp_path / "measured.json"
    formats = {"AVIF 4:2:0": points, "AVIF 4:4:4": points, "WebP": points}
    measured.write_text(json.dumps({"formats": formats}))
    curves = measured_curves(measured)
    assert curves["AVIF, measured"]["psnr"][1][-1] == pytest.approx(33.0)
    assert curves["WebP, measured"]["ms_ssim"][1][0] == pytest.approx(ms_ssim_db(0.9))
