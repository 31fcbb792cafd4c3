import codec_comparison
import numpy as np

from yoto_tf.data import write_image


def test_crops_are_multiples_of_64_in_the_middle(tmp_path, photograph):
    write_image(tmp_path / "a.png", photograph[:300, :210])
    write_image(tmp_path / "b.png", photograph)
    small, large = codec_comparison.crops(tmp_path, 5)
    assert small.shape == (128, 128, 3)
    assert large.shape == (320, 320, 3)
    assert len(codec_comparison.crops(tmp_path, 1)) == 1


def test_a_curve_goes_over_the_range_of_the_codec(untrained_codec, photograph):
    image = photograph[200:264, 200:264]
    points = codec_comparison.curve(untrained_codec, [image, image], 3)
    [(low, high)] = untrained_codec.coefficients.ranges().values()
    values = [point["distortion"] for point in points]
    np.testing.assert_allclose(values, np.geomspace(low, high, 3))
    found = untrained_codec.reconstruct(image, distortion=values[-1])
    error = np.mean(np.square(found.astype(float) - image))
    expected = 10 * np.log10(255**2 / error)
    np.testing.assert_allclose(points[-1]["psnr"], expected, atol=0.05)
    assert points[0]["bits_per_pixel"] < points[-1]["bits_per_pixel"]
