"""TensorFlow Datasets by name: `tfds:NAME[:SPLIT]`."""

import contextlib
import socket
from urllib.parse import urlsplit
from urllib.request import getproxies

import numpy as np

from yoto_tf.errors import DataError, printable
from yoto_tf.machine.progress import progress_bar

PREFIX = "tfds:"


def is_tfds(spec):
    """Whether `spec` names a TFDS data set rather than files."""
    return str(spec).startswith(PREFIX)


def images_from_tfds(spec, data_dir=None):
    """Yields the pictures of a TFDS data set once, in its own order.

    Args:
        spec: `tfds:NAME[:SPLIT]`, by default the split `train`. The data set must
            have a feature `image`.
        data_dir: where TFDS keeps prepared data; by default the environment variable
            `TFDS_DATA_DIR`, else `~/tensorflow_datasets`.

    Yields:
        uint8 `[height, width, 3]`; grey pictures are repeated three times.

    Raises:
        DataError: see `load_arrays`.
    """
    for example in _examples(spec, data_dir):
        yield np.broadcast_to(example["image"], (*example["image"].shape[:2], 3))


def load_arrays(spec, data_dir=None):
    """Loads a small TFDS data set of pictures of one size into memory.

    Args:
        spec: `tfds:NAME[:SPLIT]` such as `tfds:cifar10:test`; the default split is
            `train`.
        data_dir: as for `images_from_tfds`.

    Returns:
        A dict with `image`, uint8 `[N, height, width, channels]`, and, where the data
        set has it, `label`, int64 `[N]`.

    Raises:
        DataError: TensorFlow or the data set is missing and cannot be downloaded, it
            has no such split or no pictures, or their sizes differ.
    """
    columns = {}
    examples = _examples(spec, data_dir)
    for example in progress_bar(examples, printable(f"Loading {spec}"), unit="example"):
        for name in ("image", "label"):
            if name in example:
                columns.setdefault(name, []).append(example[name])
    shapes = {image.shape for image in columns["image"]}
    if len(shapes) != 1:
        raise DataError(
            f"{spec}: expected pictures of one size, found {len(shapes)} sizes"
        )
    arrays = {"image": np.stack(columns["image"])}
    if "label" in columns:
        arrays["label"] = np.asarray(columns["label"], dtype=np.int64)
    return arrays


def _examples(spec, data_dir):
    name, _, split = str(spec)[len(PREFIX) :].partition(":")
    if not is_tfds(spec) or not name:
        raise DataError(f"expected tfds:NAME or tfds:NAME:SPLIT, got {spec}")
    try:
        import tensorflow_datasets as tfds
    except ImportError as error:
        raise DataError(
            f"{spec} needs the packages tensorflow and tensorflow-datasets; "
            "a folder of pictures needs neither"
        ) from error
    split = split or "train"
    dataset = tfds.as_numpy(_load(tfds, name, split, data_dir))
    for index, example in enumerate(dataset):
        if index == 0 and getattr(example.get("image"), "ndim", 0) != 3:
            raise DataError(
                f"{spec}: expected a feature named image, found {', '.join(example)}"
            )
        yield example


def _load(tfds, name, split, data_dir):
    options = {"split": split, "data_dir": data_dir}
    try:
        try:
            return tfds.load(name, download=False, **options)
        except AssertionError:
            # TFDS would try again for minutes.
            if not _online(tfds.builder(name, data_dir=data_dir).url_infos):
                raise ConnectionError("its hosts cannot be reached") from None
            return tfds.load(name, download=True, **options)
    except tfds.core.DatasetNotFoundError as error:
        raise DataError(f"tfds:{name}: TFDS knows no data set of this name") from error
    except Exception as error:
        # A download can fail in as many ways as there are hosts of data sets.
        reason = str(error).strip().partition("\n")[0]
        raise DataError(
            f"cannot load tfds:{name}:{split} ({type(error).__name__}: {reason}); "
            f"if it is missing, run `tfds build {name}` where there is a network and "
            "set TFDS_DATA_DIR to the folder it wrote"
        ) from error


def _online(urls):
    """Whether one of the URLs' hosts can be resolved.

    True without hosts, or with a proxy, which resolves their names.
    """
    hosts = {urlsplit(url).hostname for url in urls} - {None}
    for host in hosts:
        with contextlib.suppress(OSError):
            socket.getaddrinfo(host, None)
            return True
    return not hosts or bool(getproxies())
