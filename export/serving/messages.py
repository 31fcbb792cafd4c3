"""The few protocol messages of TensorFlow Serving that are needed here.

They are declared here field by field, in a descriptor pool of their own: a client
machine needs neither TensorFlow nor its serving API, and where these are loaded too,
their messages and ours do not collide. On the wire only numbers and types of the fields
count, which are those of `tensorflow_serving/{apis,config}/*.proto` and of
`tensorflow/core/framework/tensor.proto`.
"""

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_PACKAGE = "yoto_tf.serving"
_SCALARS = ("int32", "int64", "float", "double", "bool", "string", "bytes")

# {message: {field: (number, type)}}. `*` marks a repeated field, `map:` a map from
# strings; any type that is not a scalar is a message of this table.
_MESSAGES = {
    "Int64Value": {"value": (1, "int64")},
    "Any": {"type_url": (1, "string"), "value": (2, "bytes")},
    "Dimension": {"size": (1, "int64")},
    "TensorShape": {"dim": (2, "*Dimension"), "unknown_rank": (3, "bool")},
    "Tensor": {
        "dtype": (1, "int32"),
        "tensor_shape": (2, "TensorShape"),
        "tensor_content": (4, "bytes"),
        "float_val": (5, "*float"),
        "int_val": (7, "*int32"),
        "string_val": (8, "*bytes"),
        "int64_val": (10, "*int64"),
        "bool_val": (11, "*bool"),
    },
    "ModelSpec": {
        "name": (1, "string"),
        "version": (2, "Int64Value"),
        "signature_name": (3, "string"),
        "version_label": (4, "string"),
    },
    "PredictRequest": {
        "model_spec": (1, "ModelSpec"),
        "inputs": (2, "map:Tensor"),
        "output_filter": (3, "*string"),
    },
    "PredictResponse": {"outputs": (1, "map:Tensor"), "model_spec": (2, "ModelSpec")},
    "PredictLog": {"request": (1, "PredictRequest")},
    "PredictionLog": {"predict_log": (6, "PredictLog")},
    "TensorInfo": {
        "name": (1, "string"),
        "dtype": (2, "int32"),
        "tensor_shape": (3, "TensorShape"),
    },
    "SignatureDef": {
        "inputs": (1, "map:TensorInfo"),
        "outputs": (2, "map:TensorInfo"),
        "method_name": (3, "string"),
    },
    "SignatureDefMap": {"signature_def": (1, "map:SignatureDef")},
    "GetModelMetadataRequest": {
        "model_spec": (1, "ModelSpec"),
        "metadata_field": (2, "*string"),
    },
    "GetModelMetadataResponse": {
        "model_spec": (1, "ModelSpec"),
        "metadata": (2, "map:Any"),
    },
    "SpecificVersions": {"versions": (1, "*int64")},
    "VersionPolicy": {"specific": (102, "SpecificVersions")},
    "ModelConfig": {
        "name": (1, "string"),
        "base_path": (2, "string"),
        "model_platform": (4, "string"),
        "model_version_policy": (7, "VersionPolicy"),
        "version_labels": (8, "map:int64"),
    },
    "ModelConfigList": {"config": (1, "*ModelConfig")},
    "ModelServerConfig": {"model_config_list": (1, "ModelConfigList")},
}


def _add_field(message, name, number, kind):
    """Declares one field, and for a map the entry message that it consists of."""
    field = message.field.add(name=name, number=number)
    repeated = kind.startswith(("*", "map:"))
    field.label = field.LABEL_REPEATED if repeated else field.LABEL_OPTIONAL
    if kind.startswith("map:"):
        entry = message.nested_type.add(name=f"{name.title().replace('_', '')}Entry")
        entry.options.map_entry = True
        _add_field(entry, "key", 1, "string")
        _add_field(entry, "value", 2, kind[len("map:") :])
        kind = f"{message.name}.{entry.name}"
    kind = kind.lstrip("*")
    if kind in _SCALARS:
        field.type = getattr(field, f"TYPE_{kind.upper()}")
    else:
        field.type = field.TYPE_MESSAGE
        field.type_name = f".{_PACKAGE}.{kind}"


def _load():
    file = descriptor_pb2.FileDescriptorProto(
        name="yoto_tf/serving.proto", package=_PACKAGE, syntax="proto3"
    )
    for name, fields in _MESSAGES.items():
        message = file.message_type.add(name=name)
        for field, (number, kind) in fields.items():
            _add_field(message, field, number, kind)
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    # protobuf 4.22 brought the function and deprecated the class.
    make = getattr(message_factory, "GetMessageClass", None)
    if make is None:
        make = message_factory.MessageFactory(pool).GetPrototype
    return {
        name: make(pool.FindMessageTypeByName(f"{_PACKAGE}.{name}"))
        for name in _MESSAGES
    }


_CLASSES = _load()

Tensor = _CLASSES["Tensor"]
PredictRequest = _CLASSES["PredictRequest"]
PredictResponse = _CLASSES["PredictResponse"]
PredictionLog = _CLASSES["PredictionLog"]
SignatureDefMap = _CLASSES["SignatureDefMap"]
GetModelMetadataRequest = _CLASSES["GetModelMetadataRequest"]
GetModelMetadataResponse = _CLASSES["GetModelMetadataResponse"]
ModelServerConfig = _CLASSES["ModelServerConfig"]
