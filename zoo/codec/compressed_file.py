"""A `.yoto` file that has been read, and what it says about itself."""

import dataclasses
import threading
from pathlib import Path

from yoto_tf import zoo
from yoto_tf.errors import DataError, FormatError
from yoto_tf.imaging.metrics import bits_per_pixel
from yoto_tf.zoo.codec.coding.container import MAGIC, NO_MODEL, Container
from yoto_tf.zoo.codec.second_layer.choice import in_words

# More than any picture of the largest size takes.
_LARGEST_FILE = 2**29


@dataclasses.dataclass(frozen=True)
class CompressedFile:
    """A file, read and parsed once.

    Attributes:
        path: where it lies, or will.
        container: what it holds.
        num_bytes: its size.
    """

    path: Path
    container: Container
    num_bytes: int

    @classmethod
    def read(cls, path):
        """Reads a file.

        Raises:
            DataError: it cannot be read.
            FormatError: it is foreign or damaged.
        """
        return cls.of(path, _read(path))

    @classmethod
    def of(cls, path, data):
        """The file of this content, bytes.

        Raises:
            FormatError: it is foreign or damaged.
        """
        try:
            container = Container.from_bytes(data)
        except FormatError as error:
            raise FormatError(f"{path}: {error}") from error
        return cls(path, container, len(data))

    @property
    def pixels(self):
        """Height · width of the picture."""
        return self.container.height * self.container.width

    def description(self, pretrained, names=None):
        """What `describe` returns, but for "input".

        Args:
            pretrained: `PretrainedById`.
            names: of the coefficients; None for those of the pretrained model.
        """
        container, extras = self.container, {}
        if layer := in_words(container):
            extras["second_layer"] = layer
        if container.metadata:
            extras["metadata"] = [kind.name for kind in container.metadata]
        model, summary = pretrained.find(container.model_id)
        values = container.coefficients
        if names is None or len(names) != len(values):
            names = [f"coefficient_{i + 1}" for i in range(len(values))]
            if summary is not None and len(summary.ranges) == len(values):
                names = summary.ranges
        return {
            "model": model,
            "model_id": container.model_id.hex(),
            "coefficients": dict(zip(names, values, strict=True)),
            "width": container.width,
            "height": container.height,
            "bytes": self.num_bytes,
            "bits_per_pixel": bits_per_pixel(
                self.num_bytes, container.height, container.width
            ),
            **extras,
        }


class PretrainedById:
    """The pretrained models by the ids they have and had, looked up at most once."""

    def __init__(self):
        self._lock = threading.Lock()
        self._found = None

    def find(self, model_id):
        """Name and `Summary` of the model with this id; None twice if there is none."""
        if model_id == NO_MODEL:
            return None, None
        with self._lock:
            if self._found is None:
                self._found = {}
                for name, summary in zoo.summaries().items():
                    for known in (summary.id, *summary.former_ids):
                        self._found.setdefault(known, (name, summary))
        return self._found.get(model_id, (None, None))

    def name_for(self, container):
        """The name of the model that decodes a `Container`.

        Raises:
            FormatError: it is not among the pretrained ones.
        """
        name, _ = self.find(container.model_id)
        if name is None:
            raise FormatError(
                f"written by model {container.model_id.hex()}, which is none of the "
                f"pretrained ones ({', '.join(zoo.names()) or 'none is installed'}); "
                "name its model or directory"
            )
        return name


def _read(path):
    try:
        with open(path, "rb") as file:
            magic = file.read(len(MAGIC))
            # A foreign file may be larger than the memory.
            if magic == MAGIC:
                magic += file.read(_LARGEST_FILE)
            if len(magic) > _LARGEST_FILE:
                raise FormatError(
                    f"{path}: larger than any .yoto file, which has at most "
                    f"{_LARGEST_FILE:,} bytes"
                )
            return magic
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}") from error
