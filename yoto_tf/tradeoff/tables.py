"""Results as tables. pandas is imported when the first is asked for."""

from yoto_tf.errors import YotoError


def dataframe(rows):
    """A `pandas.DataFrame` of flat dicts.

    Raises:
        YotoError: pandas is not installed.
    """
    try:
        import pandas
    except ImportError as error:
        raise YotoError("to_dataframe needs pandas: install it") from error
    return pandas.DataFrame(rows)
