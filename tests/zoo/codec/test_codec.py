import json
import random
import time

import keras
import numpy as np
import pytest

from yoto_tf import Coefficients, Fixed, LogUniform
from yoto_tf.errors import CoefficientError, DataError, FormatError
from yoto_tf.imaging.metrics import psnr
from yoto_tf.zoo.codec import (
    Codec,
    ContextHyperprior,
    FactorizedPrior,
    Hyperprior,
    ResidualHyperprior,
)
from yoto_tf.zoo.codec.coding.container import Container


@pytest.fixture(scope="module")
def bfloat16(untrained_codec):
    return Codec(untrained_codec.release, precision="mixed_bfloat16")


@pytest.mark.parametrize(
    ("height", "width"), [(1, 1), (1, 70), (63, 65), (64, 64), (130, 77)]
)
def test_any_size_decodes_to_the_reconstruction(
    untrained_codec, photograph, height, width
):
    image = photograph[200 : 200 + height, 200 : 200 + width]
    for quality in (0.0, 0.7):
        decoded = untrained_codec.decompress(
            untrained_codec.compress(image, quality=quality)
        )
        assert decoded.shape == image.shape
        assert decoded.dtype == np.uint8
        np.testing.assert_array_equal(
            decoded, untrained_codec.reconstruct(image, quality=quality)
        )


def test_same_picture_same_bytes(untrained_codec, photograph):
    image = photograph[:100, :120]
    again = Codec(untrained_codec.release)
    data = untrained_codec.compress(image, distortion=0.02)
    assert untrained_codec.compress(image, distortion=0.02) == data
    assert again.compress(image, distortion=0.02) == data


@pytest.mark.parametrize("quality", [0.0, 0.5, 1.0])
def test_estimated_bits_are_those_of_the_file(untrained_codec, photograph, quality):
    data = untrained_codec.compress(photograph, quality=quality)
    inputs = {
        "image": (photograph / 255).astype("float32")[None],
        "coefficients": untrained_codec.vector(quality)[None],
    }
    bits = float(untrained_codec.model(inputs)["bits"][0])
    assert abs(bits / 8 - len(data)) < 0.01 * len(data) + 100


def test_rate_and_quality_rise_with_the_coefficient(untrained_codec, photograph):
    image = photograph[:256, :256]
    sizes, qualities = [], []
    for setting in untrained_codec.settings(6):
        data = untrained_codec.compress(image, **setting)
        sizes.append(len(data))
        qualities.append(psnr(image, untrained_codec.decompress(data)))
    assert sizes == sorted(set(sizes))
    assert qualities == sorted(set(qualities))


def test_settings_span_the_range(untrained_codec):
    values = [setting["distortion"] for setting in untrained_codec.settings(3)]
    assert values == pytest.approx([0.0018, 0.018, 0.18])
    assert values[0] == 0.0018


def test_release_is_what_was_measured(untrained_codec, release_folder, photograph):
    from yoto_tf import zoo

    loaded = zoo.load(release_folder)
    image = photograph[:64, :64]
    assert loaded.model_id == untrained_codec.model_id
    assert loaded.card == untrained_codec.card
    data = untrained_codec.compress(image)
    np.testing.assert_array_equal(
        loaded.decompress(data), untrained_codec.reconstruct(image)
    )


SMALL = {
    FactorizedPrior: {"filters": (8, 8, 8, 12)},
    Hyperprior: {"filters": (8, 8, 8, 12), "hyper_filters": 8},
    ResidualHyperprior: {"filters": (8, 8, 12), "hyper_filters": 8},
    ContextHyperprior: {"filters": (8, 8, 12), "hyper_filters": 8},
}


@pytest.mark.parametrize("network", SMALL)
@pytest.mark.parametrize("distribution", [LogUniform(0.01, 0.1), Fixed(0.02)])
def test_every_codec_round_trips(network, distribution, photograph):
    coefficients = Coefficients(distortion=distribution)
    network = network(coefficients, **SMALL[network])
    network.build(None)
    codec = Codec.from_network(network)
    image = photograph[250:350, 200:270]
    decoded = codec.decompress(codec.compress(image, distortion=0.02))
    np.testing.assert_array_equal(decoded, codec.reconstruct(image, distortion=0.02))


def test_file_of_another_model_names_both(untrained_codec, photograph):
    coefficients = Coefficients(distortion=LogUniform(0.0018, 0.18))
    network = Hyperprior(coefficients, (8, 8, 8, 12), 8)
    network.build(None)
    other = Codec.from_network(network)
    data = other.compress(photograph[200:230, 200:240])
    ids = f"model {other.model_id.hex()}.*model {untrained_codec.model_id.hex()}"
    with pytest.raises(FormatError, match=ids):
        untrained_codec.decompress(data)


def test_forged_files_are_refused_or_have_the_declared_size(
    untrained_codec, photograph
):
    """A right checksum over made-up content: never a crash, a hang, or a huge array."""
    draw = random.Random(3)
    image = photograph[200:270, 200:290]
    genuine = Container.from_bytes(untrained_codec.compress(image))
    refused = 0
    for number in range(300):
        sections = list(genuine.sections)
        for place in (0, 1):
            if draw.random() < 0.7:
                sections[place] = draw.randbytes(draw.randrange(200))
        value = draw.choice([0.02, 0.02, 0.02, -1.0, float("nan"), 1e30])
        values = (value,) * draw.choice([1, 1, 1, 0, 2])
        side = draw.choice([1, 70, 300])
        forged = Container(
            untrained_codec.model_id, values, side, 90, tuple(sections)
        ).to_bytes()
        started = time.monotonic()
        try:
            assert untrained_codec.decompress(forged).shape == (side, 90, 3), number
        except FormatError:
            refused += 1
        assert time.monotonic() - started < 20
    assert refused > 250


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((4, 4, 3)), r"uint8 image \[height, width, 3\], got float64"),
        (np.zeros((4, 4), "uint8"), r"got uint8 \[4, 4\]"),
        (np.zeros((4, 4, 4), "uint8"), r"got uint8 \[4, 4, 4\]"),
    ],
)
def test_what_is_no_picture_is_refused(untrained_codec, image, message):
    with pytest.raises(DataError, match=message):
        untrained_codec.compress(image)


def test_pictures_of_too_many_pixels_are_refused(untrained_codec, photograph):
    image = photograph[:40, :70]
    data = untrained_codec.compress(image, quality=0.5)
    expected = untrained_codec.decompress(data)
    np.testing.assert_array_equal(
        untrained_codec.decompress(data, max_pixels=40 * 70), expected
    )
    with pytest.raises(FormatError, match="70 × 40 pixels, expected at most 2,799"):
        untrained_codec.decompress(data, max_pixels=40 * 70 - 1)


@pytest.mark.parametrize("kind", [bytearray, memoryview])
def test_whatever_holds_bytes_is_decoded(untrained_codec, photograph, kind):
    data = untrained_codec.compress(photograph[:40, :70], quality=0.5)
    np.testing.assert_array_equal(
        untrained_codec.decompress(kind(data)), untrained_codec.decompress(data)
    )


@pytest.mark.parametrize("shape", [(0, 4, 3), (70_000, 1, 3)])
def test_what_the_format_cannot_hold_is_refused(untrained_codec, shape):
    with pytest.raises(FormatError, match="expected sides of 1 to 65535"):
        untrained_codec.compress(np.zeros(shape, "uint8"))


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"quality": 1.1}, r"quality lies in \[0, 1\], got 1.1"),
        ({"quality": float("nan")}, "got nan"),
        ({"distortion": 0.5}, r"distortion = 0.5 is outside its range \[0.0018, 0.18"),
        ({"distorsion": 0.02}, "'distorsion', expected distortion. Did you mean"),
        ({"quality": 0.5, "distortion": 0.02}, "not both"),
        ({"quality": 0.5, "target_bpp": 0.2}, "not two of them"),
        ({"target_size": 500, "target_bpp": 0.2}, "not two of them"),
    ],
)
def test_bad_settings_are_refused(untrained_codec, how, message):
    with pytest.raises(CoefficientError, match=message):
        untrained_codec.compress(np.zeros((4, 4, 3), "uint8"), **how)


def test_policy_of_the_process_is_left_alone(untrained_codec, bfloat16):
    assert keras.config.dtype_policy().name == "float32"
    assert bfloat16.model.analysis.dtype_policy.name == "mixed_bfloat16"


def test_card_and_config_are_plain_json(untrained_codec):
    json.dumps(untrained_codec.release.config)
    assert untrained_codec.release.ranges == {"distortion": (0.0018, 0.18)}


def test_bytes_of_any_kind(untrained_codec, photograph):
    data = untrained_codec.compress(photograph[:40, :50])
    expected = untrained_codec.decompress(data)
    for kind in (bytearray, memoryview, lambda data: np.frombuffer(data, "uint8")):
        np.testing.assert_array_equal(untrained_codec.decompress(kind(data)), expected)
    for wrong in ("YOTO", 5, None, [1, 2]):
        with pytest.raises(FormatError, match="expected bytes, got"):
            untrained_codec.decompress(wrong)
