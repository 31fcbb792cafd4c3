"""Photographs that need no network, for demonstrations and examples."""

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


def colosseum():
    """A photograph of a building that comes with this package: uint8 [432, 768, 3].

    It is "Roman Colosseum" of the wallpapers of the Budgie desktop
    (github.com/BuddiesOfBudgie/budgie-backgrounds), which are CC0, made smaller.
    """
    return read_image(Path(__file__).parent / "pictures" / "colosseum.webp")
