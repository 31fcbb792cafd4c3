"""Requests over gRPC: tensors as bytes, which suits pictures."""

import grpc
from google.protobuf.message import DecodeError

from yoto_tf.errors import DataError
from yoto_tf.export.serving import messages, tensors
from yoto_tf.export.serving.client.transport import Signature, TensorSpec, Transport

# The most that a protocol message can hold. By itself gRPC takes answers up to 4 MiB,
# less than one float picture of 768×512 pixels.
MAX_BYTES = 2**31 - 1
_SERVICE = "/tensorflow.serving.PredictionService/"


class GrpcTransport(Transport):
    """A channel to one model.

    Args:
        address: "HOST:PORT".
        servable: a `Servable`.
        timeout: seconds until a request is given up.
        credentials: a `grpc.ChannelCredentials`, or None for no encryption.
    """

    def __init__(self, address, servable, timeout, credentials=None):
        super().__init__(address, servable, timeout)
        options = [
            ("grpc.max_receive_message_length", MAX_BYTES),
            ("grpc.max_send_message_length", MAX_BYTES),
        ]
        if credentials is None:
            self._channel = grpc.insecure_channel(address, options)
        else:
            self._channel = grpc.secure_channel(address, credentials, options)
        self._predict = self._method("Predict", messages.PredictResponse)
        self._metadata = self._method(
            "GetModelMetadata", messages.GetModelMetadataResponse
        )

    def predict(self, signature, inputs, outputs):
        """Runs a signature.

        Args:
            signature: its name.
            inputs: {name: array}.
            outputs: names of the outputs wanted, each once.

        Returns:
            {name: array}.

        Raises:
            ServingError: no answer, a refusal, or a malformed answer.
            DataError: inputs too large for a message.
        """
        size = sum(array.nbytes for array in inputs.values())
        if size > MAX_BYTES - 2**16:
            raise DataError(
                f"the inputs take {size / 1e9:.2f} GB, expected at most "
                f"{MAX_BYTES / 1e9:.2f} GB: send a smaller picture or batch"
            )
        request = messages.PredictRequest(output_filter=outputs)
        self._fill(request.model_spec)
        request.model_spec.signature_name = signature
        for name, array in inputs.items():
            tensors.fill_tensor(request.inputs[name], array)
        response = self._call(self._predict, request)
        try:
            return {
                name: tensors.to_array(response.outputs[name])
                for name in outputs
                if name in response.outputs
            }
        except DataError as error:
            raise self._malformed(error) from error

    def signatures(self):
        """{name: Signature} of the model.

        Raises:
            ServingError: no answer, or a refusal.
        """
        request = messages.GetModelMetadataRequest(metadata_field=["signature_def"])
        self._fill(request.model_spec)
        response = self._call(self._metadata, request)
        try:
            found = messages.SignatureDefMap.FromString(
                response.metadata["signature_def"].value
            )
        except DecodeError as error:
            raise self._malformed(error) from error
        return {
            name: Signature(_specs(definition.inputs), _specs(definition.outputs))
            for name, definition in self._served(found.signature_def)
        }

    def close(self):
        self._channel.close()

    def _method(self, name, response):
        return self._channel.unary_unary(
            _SERVICE + name,
            request_serializer=lambda request: request.SerializeToString(),
            response_deserializer=response.FromString,
        )

    def _fill(self, spec):
        spec.name = self._servable.name
        if self._servable.version is not None:
            spec.version.value = self._servable.version
        if self._servable.label is not None:
            spec.version_label = self._servable.label

    def _call(self, method, request):
        try:
            return method(request, timeout=self._timeout)
        except grpc.RpcError as error:
            raise self._explained(error) from None

    def _explained(self, error):
        code, status = error.code(), grpc.StatusCode
        if code == status.UNAVAILABLE:
            return self._unreachable(error.details())
        if code == status.DEADLINE_EXCEEDED:
            return self._too_slow()
        if code == status.NOT_FOUND:
            return self._not_served()
        if code == status.RESOURCE_EXHAUSTED:
            return self._too_large(error.details())
        return self._refused(error.details())


def _specs(infos):
    return {
        name: TensorSpec(tensors.dtype_name(info.dtype), _shape(info.tensor_shape))
        for name, info in sorted(infos.items())
    }


def _shape(message):
    if message.unknown_rank:
        return None
    return tuple(None if dim.size < 0 else dim.size for dim in message.dim)
