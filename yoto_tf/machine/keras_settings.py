"""Keras' settings, which a user may have changed in `keras.json` or by a call."""

import contextlib
import threading

import keras

_changing = threading.Lock()
# How many are within `usual_settings`, and what was set before the first of them.
_within, _before = 0, None


@contextlib.contextmanager
def usual_settings():
    """Within it Keras' own defaults hold: float32, and channels come last.

    Released networks are made and run so, whatever else the process does in another
    way. The settings are those of the whole process; threads may be within together.
    """
    global _within, _before
    # Keras makes the default policy when it is first asked for: of the user's settings.
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
    """Sets them for good, as a process may that is all ours."""
    keras.config.set_floatx("float32")
    keras.config.set_image_data_format("channels_last")
