"""Whether loss terms that are saved can be loaded again."""

import warnings

import keras


def check_loss_terms(loss_terms):
    """Warns of a function that only `custom_objects` will find when loading.

    Raises:
        ValueError: something that cannot be written into a file.
    """
    if loss_terms is None:
        return
    name = getattr(loss_terms, "__name__", type(loss_terms).__name__)
    try:
        config = keras.saving.serialize_keras_object(loss_terms)
    except (TypeError, ValueError, NotImplementedError) as error:
        raise ValueError(
            f"loss terms {name} cannot be saved: expected a function or a registered "
            "class with get_config"
        ) from error
    try:
        keras.saving.deserialize_keras_object(config)
    except (TypeError, ValueError, ImportError):
        warnings.warn(
            f"loss terms {name} are not registered: load_model will need "
            f"custom_objects={{{name!r}: {name}}}, or decorate them with "
            "@keras.saving.register_keras_serializable() and save again",
            stacklevel=3,
        )
