import keras
import numpy as np
import pytest

from yoto_tf import Coefficients, LogUniform
from yoto_tf.errors import CoefficientError
from yoto_tf.imaging.metrics import bits_per_pixel, psnr
from yoto_tf.zoo.codec import Codec
from yoto_tf.zoo.codec.coding import refinement
from yoto_tf.zoo.codec.coding.container import Container
from yoto_tf.zoo.codec.network.factorized_prior import FactorizedPrior

LAMBDA = 0.03


def loss(codec, image, effort):
    """λ · MSE + bits per pixel of the real file."""
    data = codec.compress(image, distortion=LAMBDA, effort=effort)
    error = np.mean((codec.decompress(data) - image.astype("float32")) ** 2)
    return LAMBDA * error + bits_per_pixel(len(data), *image.shape[:2])


@pytest.fixture(scope="module")
def image(photograph):
    return photograph[150:250, 180:330]


@pytest.fixture(scope="module")
def factorized_codec(photograph):
    """As chance has made it, but with gains at which its latents count."""
    keras.utils.set_random_seed(1)
    coefficients = Coefficients(distortion=LogUniform(0.0018, 0.18))
    network = FactorizedPrior(coefficients, (16, 16, 16, 24))
    network.build(None)
    network.log_gain.dense.bias.assign([30.0] * 24)
    network.log_inverse_gain.dense.bias.assign([-30.0] * 24)
    return Codec.from_network(network)


@pytest.mark.parametrize(
    "fixture", ["untrained_codec", "context_codec", "factorized_codec"]
)
def test_more_effort_gives_a_smaller_loss(fixture, image, request):
    codec = request.getfixturevalue(fixture)
    none, some, more = (loss(codec, image, effort) for effort in (0, 2, 4))
    assert more < some < none


def test_effort_is_worth_it(untrained_codec, image):
    assert loss(untrained_codec, image, 4) < 0.98 * loss(untrained_codec, image, 0)


def test_the_same_effort_gives_the_same_file(untrained_codec, image):
    first = untrained_codec.compress(image, distortion=LAMBDA, effort=1)
    other = untrained_codec.compress(image[:64, :64], distortion=LAMBDA, effort=1)
    again = untrained_codec.compress(image, distortion=LAMBDA, effort=1)
    at_once = untrained_codec.compress(image, distortion=LAMBDA, effort=1)
    assert first == again == at_once
    assert first != other
    assert first != untrained_codec.compress(image, distortion=LAMBDA)


def test_large_pictures_are_refined_in_windows(untrained_codec, image, monkeypatch):
    at_once = loss(untrained_codec, image, 2)
    none = loss(untrained_codec, image, 0)
    codec = Codec(untrained_codec.release)
    monkeypatch.setattr(refinement, "WINDOW", 192)
    monkeypatch.setattr(refinement, "OVERLAP", 64)
    monkeypatch.setattr(codec._tiled, "fits_at_once", lambda *size: False)
    wide = np.concatenate([image, image[:, ::-1]], axis=1)
    windows = []
    refined = refinement.Refiner._refined
    monkeypatch.setattr(
        refinement.Refiner,
        "_refined",
        lambda self, *rest: windows.append(1) or refined(self, *rest),
    )
    in_windows = loss(codec, wide, 2)
    assert len(windows) == 3
    assert in_windows < none - 0.5 * (none - at_once)


@pytest.mark.parametrize("size", [(1, 1), (3, 70), (65, 2)])
def test_any_size(size, untrained_codec, photograph):
    image = photograph[: size[0], : size[1]]
    data = untrained_codec.compress(image, quality=0.9, effort=1)
    assert untrained_codec.decompress(data).shape == image.shape


@pytest.mark.parametrize("effort", [-1, 10, 1.5, "3", None])
def test_effort_that_is_none_of_the_levels(effort, untrained_codec, image):
    with pytest.raises(CoefficientError, match="effort is a whole number from 0 to 9"):
        untrained_codec.compress(image, quality=0.5, effort=effort)


def test_target_with_effort(untrained_codec, image):
    plain = untrained_codec.compress(image, target_size=3000)
    data = untrained_codec.compress(image, target_size=3000, effort=2)
    assert 0.99 * 3000 - 1 <= len(data) <= 3000
    better = psnr(image, untrained_codec.decompress(data))
    assert better > psnr(image, untrained_codec.decompress(plain))
    assert Container.from_bytes(data).lossless is None


def test_no_layer_of_the_network_is_a_part_of_what_is_trained(untrained_codec):
    model = refinement._Refinement(untrained_codec.model, [(1, 1, 16), (4, 4, 64)])
    assert len(model.trainable_variables) == 2
    assert untrained_codec.model not in list(model._flatten_layers())
