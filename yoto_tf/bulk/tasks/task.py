"""What every task has."""

import dataclasses
import json

from yoto_tf import zoo
from yoto_tf.zoo.families import check_family
from yoto_tf.zoo.pairing import Kind
from yoto_tf.zoo.release import Release


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Task:
    """What is done with one file, and how.

    It can be pickled, and holds its model: workers need no file of it.

    Attributes:
        name: as the command line has it.
        release: the model, or None.
        how: what else decides the output, for JSON.
        read: the `Kind` of the inputs.
        written: the `Kind` of the outputs; None if there are none.
    """

    name: str
    release: Release | None
    how: dict
    read: Kind
    written: Kind | None

    @property
    def settings(self):
        """Name and `how`, as JSON."""
        return json.dumps({"task": self.name, **self.how}, sort_keys=True)

    @property
    def model_id(self):
        """Of the release, as a text; empty if there is none."""
        return "" if self.release is None else self.release.id.hex()

    def renamed(self, name):
        """The name of the output of an input, both paths with `/`."""
        raise NotImplementedError

    def start(self):
        """Loads the model and runs it once, which prepares it for all pictures.

        Returns:
            A function of the paths of an input and an output, which writes the output
            and returns a dict for the manifest; it raises DataError or FormatError.
        """
        raise NotImplementedError


def release_of(model, family):
    """The `Release` of a pretrained name or a directory, read without Keras.

    Raises:
        RecipeError: there is no such model, or it is of another family.
    """
    from yoto_tf.zoo.release import check_shapes

    release = zoo.release_of(model, check_shapes)
    check_family(model, release, family)
    return release


def small_picture():
    """uint8 [64, 64, 3], of noise."""
    import numpy as np

    return np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
