"""Compressed files to pixels, each with the model that it names."""

import functools
import threading

from yoto_tf import zoo
from yoto_tf.errors import FormatError
from yoto_tf.zoo.codec.compressed_file import PretrainedById
from yoto_tf.zoo.codec.lossless.picture import decode_picture
from yoto_tf.zoo.families import check_family
from yoto_tf.zoo.release import Release


class Decoder:
    """Decodes `CompressedFile`s; threads may share it.

    Args:
        model: see `load_codec`; None for the pretrained model that each file names.
        pretrained: the `PretrainedById` to look models up in, or None for a new one.
    """

    def __init__(self, model=None, pretrained=None):
        self._model = model
        self._pretrained = pretrained or PretrainedById()
        self._codec = loaded_once(load_codec)

    def decode(self, file):
        """The pixels of a file, and the names of its coefficients.

        Returns:
            uint8 [H, W, 3], and a tuple, or None if no model was needed.

        Raises:
            FormatError: the file is damaged, or was written by another model.
            RecipeError: see `yoto_tf.zoo.load`.
        """
        container = file.container
        try:
            if container.lossless is not None:
                size = container.height, container.width
                return decode_picture(container.lossless, *size), None
            codec = self._codec(self._model or self._pretrained.name_for(container))
            return codec.decode(container), codec.coefficients.names
        except FormatError as error:
            raise FormatError(f"{file.path}: {error}") from error


def load_codec(model):
    """The `Codec` of a pretrained name, of a release's directory or of a `Release`.

    Raises:
        RecipeError: there is no such model, or it is no codec.
    """
    if isinstance(model, Release):
        from yoto_tf.zoo.codec.codec import Codec

        return Codec(model)
    loaded = zoo.load(model)
    check_family(model, loaded.release, "codec")
    return loaded


def loaded_once(load):
    """Caches a function for threads, of which only the first calls it."""
    cached, lock = functools.cache(load), threading.Lock()

    def call(*arguments):
        with lock:
            return cached(*arguments)

    return call
