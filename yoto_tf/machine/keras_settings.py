"""Keras' settings, which a user may have changed in `keras.json` or by a call."""

import contextlib
import threading

import keras

_changing = threading.Lock()
# How many callers are within `usual_settings`, and the settings before the first.
_within, _before = 0, None


@contextlib.contextmanager
def usual_settings():
    """Within it Keras' own defaults hold: float32, and channels come last.

    Released networks are built and run with them, whatever the process uses elsewhere.
    They hold for the whole process. Several threads may use this context at once.
    """
    global _within, _before
    # Keras makes its default policy when it is first asked for one: here, while the
    # user's settings hold.
    keras.config.dtype_policy()
    with _changing:
        if not _within:
            _before = keras.config.floatx(), keras.config.image_data_format()
            set_usual_settings()
        _within += 1
    try:
        yield
    finally:
        with _changing:
            _within -= 1
            if not _within:
                floatx, image_data_format = _before
                keras.config.set_floatx(floatx)
                keras.config.set_image_data_format(image_data_format)


def set_usual_settings():
    """Sets the usual settings for good, in a process that runs nothing else."""
    keras.config.set_floatx("float32")
    keras.config.set_image_data_format("channels_last")
