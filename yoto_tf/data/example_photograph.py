"""One photograph that needs no network, for demonstrations and examples."""

from pathlib import Path

from yoto_tf.data.images import read_image
from yoto_tf.errors import DataError


def photograph():
    """A photograph that is there without a network: uint8 [600, 512, 3].

    It is `grace_hopper.jpg` from matplotlib's sample data, taken by the U.S. Navy and
    in the public domain.

    Raises:
        DataError: matplotlib was installed without its sample data.
    """
    import matplotlib

    path = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"
    if not path.exists():
        raise DataError(
            f"the photograph {path} is missing: this matplotlib was installed without "
            "sample data"
        )
    return read_image(path)
