"""Our messages against the official ones, on the wire."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from yoto_tf.errors import DataError
from yoto_tf.export.serving import messages
from yoto_tf.export.serving.tensors import fill_tensor, to_array

REASON = "needs tensorflow-serving-api: pip install 'yoto_tf[test]'"
SERVED = ("float32", "int32", "int64", "uint8", "bool")


def official(module):
    return pytest.importorskip(f"tensorflow_serving.{module}_pb2", reason=REASON)


def assert_same_fields(ours, theirs, seen):
    """Each of our fields has the number and the type that the official one has."""
    if ours.full_name in seen:
        return
    seen.add(ours.full_name)
    for field in ours.fields:
        other = theirs.fields_by_name[field.name]
        assert field.number == other.number, field.full_name
        # Numbers of an enum travel as other integers do.
        enum = other.type == other.TYPE_ENUM
        assert field.type == (other.TYPE_INT32 if enum else other.type)
        if field.message_type is not None:
            assert_same_fields(field.message_type, other.message_type, seen)


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("PredictRequest", "apis.predict"),
        ("PredictResponse", "apis.predict"),
        ("PredictionLog", "apis.prediction_log"),
        ("GetModelMetadataRequest", "apis.get_model_metadata"),
        ("GetModelMetadataResponse", "apis.get_model_metadata"),
        ("SignatureDefMap", "apis.get_model_metadata"),
        ("ModelServerConfig", "config.model_server_config"),
    ],
)
def test_fields_are_the_official_ones(name, module):
    theirs = getattr(official(module), name).DESCRIPTOR
    seen = set()
    assert_same_fields(getattr(messages, name).DESCRIPTOR, theirs, seen)
    assert len(seen) > 1


def test_an_official_server_reads_our_request():
    request = messages.PredictRequest(output_filter=["image"])
    request.model_spec.name = "codec"
    request.model_spec.version.value = 3
    request.model_spec.signature_name = "analyze"
    fill_tensor(request.inputs["x"], np.float32([[1, 2]]))
    read = official("apis.predict").PredictRequest.FromString(
        request.SerializeToString()
    )
    assert read.model_spec.name == "codec"
    assert read.model_spec.version.value == 3
    assert read.model_spec.signature_name == "analyze"
    assert list(read.output_filter) == ["image"]
    np.testing.assert_array_equal(tf.make_ndarray(read.inputs["x"]), [[1, 2]])


@given(
    st.sampled_from(SERVED).flatmap(
        lambda dtype: arrays.arrays(dtype, arrays.array_shapes(min_dims=0, min_side=0))
    )
)
def test_tensors_are_those_of_tensorflow(array):
    ours = messages.Tensor()
    fill_tensor(ours, array)
    theirs = tf.make_tensor_proto(array)
    read = type(theirs).FromString(ours.SerializeToString())
    np.testing.assert_array_equal(tf.make_ndarray(read), array)
    back = to_array(messages.Tensor.FromString(theirs.SerializeToString()))
    assert back.dtype == array.dtype
    np.testing.assert_array_equal(back, array)


@pytest.mark.parametrize(
    ("dtype", "field"), [(1, "float_val"), (3, "int_val"), (9, "int64_val")]
)
def test_values_one_by_one_are_read_too(dtype, field):
    tensor = messages.Tensor(dtype=dtype)
    tensor.tensor_shape.dim.add(size=2)
    tensor.tensor_shape.dim.add(size=2)
    getattr(tensor, field).extend([1, -2, 3, 4])
    assert to_array(tensor).tolist() == [[1, -2], [3, 4]]
    # The last one stands for those left out.
    del getattr(tensor, field)[2:]
    assert to_array(tensor).tolist() == [[1, -2], [-2, -2]]


def test_bytes_travel():
    tensor = messages.Tensor()
    fill_tensor(tensor, np.array([b"\xff\x00", b""], object))
    assert to_array(tensor).tolist() == [b"\xff\x00", b""]
    assert tf.make_ndarray(
        type(tf.make_tensor_proto(1)).FromString(tensor.SerializeToString())
    ).tolist() == [b"\xff\x00", b""]


def test_what_cannot_be_a_tensor_is_refused():
    with pytest.raises(DataError, match=r"expected one of float32, .* got complex128"):
        fill_tensor(messages.Tensor(), np.zeros(1, complex))
    with pytest.raises(DataError, match="tensor of type 19"):
        to_array(messages.Tensor(dtype=19))
    short = messages.Tensor(dtype=1, tensor_content=bytes(4))
    short.tensor_shape.dim.add(size=-3)
    with pytest.raises(DataError, match="1 values for the shape"):
        to_array(short)
