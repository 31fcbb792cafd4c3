import numpy as np
import pytest
from integer_path import CODES, Counter, costs, measure, table_bits

from yoto_tf import entropy
from yoto_tf.data import write_image
from yoto_tf.imaging.metrics import psnr


@pytest.mark.parametrize("spread", [1, 10, 1000])
def test_table_bits_are_what_the_range_coder_writes(spread):
    random = np.random.default_rng(0)
    tables = entropy.GaussianConditional().coding_tables()
    indexes = random.integers(0, 30, 4000)
    symbols = np.rint(random.standard_cauchy(4000) * spread).astype("int32")
    bits = table_bits(symbols, indexes, tables)
    written = 8 * len(entropy.encode(symbols, indexes, tables))
    # A coder of 32 bits rounds its intervals, mostly in favour of escape symbols.
    assert written == pytest.approx(bits, rel=0.002)


def test_codes_of_a_file(untrained_codec, photograph):
    image = photograph[100:300, 100:280]
    data = untrained_codec.compress(image, distortion=0.02)
    bits = Counter(untrained_codec)(data)
    assert tuple(bits) == CODES
    assert bits["file"] == 8 * len(data)
    assert bits["file"] - bits["coded"] == 8 * 38
    assert bits["coded"] == pytest.approx(bits["integer tables"], abs=40)
    assert bits["integer tables"] == pytest.approx(bits["float tables"], rel=0.01)
    assert bits["float tables"] == pytest.approx(bits["ideal"], rel=0.05)
    # The network's own estimate, but for the rounding of scales.
    inputs = {
        "image": image[None] / np.float32(255),
        "coefficients": np.array([[0.02]], "float32"),
    }
    estimate = float(untrained_codec.model(inputs)["bits"][0])
    assert bits["ideal"] == pytest.approx(estimate, rel=0.01)


def test_points_are_means_over_pictures(untrained_codec, photograph, tmp_path):
    files = [tmp_path / "a.png", tmp_path / "b.png"]
    images = [photograph[100:200, 100:200], photograph[300:400, 200:290]]
    for file, image in zip(files, images, strict=True):
        write_image(file, image)
    points = measure(untrained_codec, files, settings=4)
    setting = {"distortion": points[2]["distortion"]}
    rates, qualities = [], []
    for image in images:
        data = untrained_codec.compress(image, **setting)
        rates.append(8 * len(data) / (image.shape[0] * image.shape[1]))
        qualities.append(psnr(image, untrained_codec.decompress(data)))
    assert points[2]["file"] == pytest.approx(np.mean(rates))
    assert points[2]["psnr"] == pytest.approx(np.mean(qualities))


def test_costs_are_relative_to_what_they_say():
    points = [
        {"psnr": 30.0 + i, "ideal": 1.0 * 2**i, "float tables": 1.1 * 2**i}
        | {"integer tables": 1.21 * 2**i, "coded": 1.3 * 2**i, "file": 1.5 * 2**i}
        for i in range(4)
    ]
    assert costs(points) == pytest.approx(
        {
            "float tables against ideal": 10,
            "integer tables against ideal": 21,
            "coded against ideal": 30,
            "file against ideal": 50,
            "integer tables against float tables": 10,
        }
    )
