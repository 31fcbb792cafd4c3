import socket
import warnings

import numpy as np
import pytest

from yoto_tf.data import Patches, images_from_tfds, load_arrays
from yoto_tf.errors import DataError


def one_line(error):
    assert "\n" not in str(error.value)
    return str(error.value)


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    tf = pytest.importorskip("tensorflow")
    tfds = pytest.importorskip("tensorflow_datasets")
    folder = tmp_path_factory.mktemp("tfds")
    values = np.arange(6)
    images = np.broadcast_to(values[:, None, None, None], (6, 5, 4, 1)).astype(np.uint8)
    image, label = tfds.features.Image(shape=(5, 4, 1)), tfds.features.ClassLabel
    for name, features, columns in (
        (
            "pictures",
            {"image": image, "label": label(num_classes=6)},
            {"image": images, "label": values},
        ),
        ("numbers", {"number": label(num_classes=6)}, {"number": values}),
    ):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tfds.dataset_builders.store_as_tfds_dataset(
                name=name,
                version="1.0.0",
                features=tfds.features.FeaturesDict(features),
                split_datasets={"train": tf.data.Dataset.from_tensor_slices(columns)},
                data_dir=str(folder),
                disable_shuffling=True,
            )
    return folder


def test_arrays(data_dir):
    arrays = load_arrays("tfds:pictures", data_dir=data_dir)
    assert arrays["image"].shape == (6, 5, 4, 1)
    assert arrays["image"].dtype == np.uint8
    assert arrays["label"].dtype == np.int64
    np.testing.assert_array_equal(arrays["image"][:, 0, 0, 0], arrays["label"])


def test_part_of_a_split(data_dir):
    arrays = load_arrays("tfds:pictures:train[2:4]", data_dir=data_dir)
    np.testing.assert_array_equal(arrays["label"], [2, 3])


def test_grey_pictures_are_repeated_to_rgb(data_dir):
    image = list(images_from_tfds("tfds:pictures", data_dir=data_dir))[5]
    np.testing.assert_array_equal(image, np.full((5, 4, 3), 5))


def test_patches(data_dir, monkeypatch):
    tfds = pytest.importorskip("tensorflow_datasets")
    load = tfds.load
    monkeypatch.setattr(
        tfds, "load", lambda *a, **k: load(*a, **{**k, "data_dir": data_dir})
    )
    patches = Patches("tfds:pictures:train", size=4, batch_size=2, scales=(1.0,))
    assert patches[0]["image"].shape == (2, 4, 4, 3)
    assert len(patches.photographs.loaded) == 6


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ("tfds:", "tfds:NAME"),
        ("tfds:pictures:nosuchsplit", "nosuchsplit"),
        ("tfds:nosuchdataset", "no data set of this name"),
        ("tfds:numbers", "image.*number"),
    ],
)
def test_refused(data_dir, spec, reason):
    with pytest.raises(DataError, match=reason) as error:
        load_arrays(spec, data_dir=data_dir)
    one_line(error)


def test_missing_without_a_network_says_how_to_get_it(tmp_path, monkeypatch):
    def unknown(*_):
        raise socket.gaierror("unknown host")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    monkeypatch.setattr("yoto_tf.data.sources.getproxies", dict)
    with pytest.raises(DataError, match="tfds build cifar10") as error:
        load_arrays("tfds:cifar10:test", data_dir=tmp_path)
    one_line(error)
