"""NumPy arrays to `TensorProto` messages and back."""

import math

import numpy as np

from yoto_tf.errors import DataError

# {number in tensorflow/core/framework/types.proto: (NumPy type, field of the values)}
_TYPES = {
    1: ("float32", "float_val"),
    3: ("int32", "int_val"),
    4: ("uint8", "int_val"),
    7: ("bytes", "string_val"),
    9: ("int64", "int64_val"),
    10: ("bool", "bool_val"),
}
# The last value may stand for all that follow, so that a short message could ask for
# any amount of memory: this many values may be left out.
_MOST_LEFT_OUT = 2**22
_NUMBERS = {name: number for number, (name, _) in _TYPES.items()}


def dtype_name(number):
    """The NumPy name of a DataType's number, or "type N" of one not supported here."""
    return _TYPES[number][0] if number in _TYPES else f"type {number}"


def fill_tensor(message, array):
    """Writes an array into an empty `Tensor` message.

    Args:
        message: `messages.Tensor`.
        array: float32, int32, int64, uint8, bool, or an object array of bytes.

    Raises:
        DataError: an array of another type.
    """
    name = "bytes" if array.dtype == object else array.dtype.name
    if name not in _NUMBERS:
        raise DataError(f"expected one of {', '.join(_NUMBERS)}, got {name}")
    message.dtype = _NUMBERS[name]
    # A scalar has a shape too, without dimensions.
    message.tensor_shape.SetInParent()
    for size in array.shape:
        message.tensor_shape.dim.add(size=size)
    if name == "bytes":
        message.string_val.extend(array.ravel())
    else:
        little_endian = array.astype(array.dtype.newbyteorder("<"), copy=False)
        message.tensor_content = little_endian.tobytes()


def to_array(message):
    """The array in a `Tensor` message.

    Serving itself answers with a repeated field for the values, others with raw bytes.

    Raises:
        DataError: a type that is not supported here, or values that do not fill the
            shape.
    """
    if message.dtype not in _TYPES:
        raise DataError(
            f"the server answered with a tensor of {dtype_name(message.dtype)}, "
            f"expected one of {', '.join(_NUMBERS)}"
        )
    name, field = _TYPES[message.dtype]
    shape = [dim.size for dim in message.tensor_shape.dim]
    try:
        if message.tensor_content and name != "bytes":
            dtype = np.dtype(name).newbyteorder("<")
            # A copy, for the caller may want to write into it.
            values = np.frombuffer(message.tensor_content, dtype).astype(name)
        else:
            kind = object if name == "bytes" else name
            values = np.array(getattr(message, field), kind)
    except (ValueError, OverflowError) as error:
        raise DataError(
            f"the server answered with values that are not {name}: {error}"
        ) from error
    count = math.prod(shape)
    left_out = count - len(values)
    if 0 < len(values) < count and min(shape) > 0 and left_out <= _MOST_LEFT_OUT:
        # The last value stands for all that follow.
        values = np.append(values, np.repeat(values[-1:], left_out))
    if len(values) != count or min(shape, default=0) < 0:
        raise DataError(
            f"the server answered with {len(values)} values for the shape {shape}"
        )
    return values.reshape(shape)
