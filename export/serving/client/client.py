"""A client of TensorFlow Serving for this project's models, and for any other."""

import numpy as np

from yoto_tf import zoo
from yoto_tf.errors import DataError, RecipeError
from yoto_tf.export.serving.client.rest_transport import RestTransport
from yoto_tf.export.serving.client.transport import (
    Servable,
    ServingError,
    Unreachable,
    check_fits,
)
from yoto_tf.zoo.families import all_families, family_named


class Client:
    """Talks to one model on a server.

    Args:
        address: "HOST:PORT" of gRPC, or None for REST alone.
        name: the model's name on the server; without it the one under which `model`
            is exported.
        model: what runs there, for `requests` and the methods from `compress` on:
            whatever `yoto_tf.zoo.load` takes. `predict` needs none.
        rest: address of REST, "HOST:PORT" or a URL, for where grpcio is missing or
            gRPC is not answered. It is some fifty times slower.
        version: number of the version to ask for; by default the server chooses.
        label: label of the version to ask for.
        timeout: seconds until a request is given up, from its first byte to the last
            one of the answer.
        credentials: for gRPC over TLS, a `grpc.ChannelCredentials` such as
            `grpc.ssl_channel_credentials()`; None for no encryption. REST is encrypted
            where its address begins with https://.

    Raises:
        RecipeError: no such model.
        ServingError: no name, no address, or no grpcio and no REST address.

    Example:
        >>> client = Client("localhost:8500", model="codec")
        >>> data = client.compress(image, distortion=0.02)
        >>> image = client.decompress(data)
    """

    def __init__(
        self,
        address="localhost:8500",
        name=None,
        *,
        model=None,
        rest=None,
        version=None,
        label=None,
        timeout=60.0,
        credentials=None,
    ):
        release = None if model is None else zoo.release_of(model)
        if name is None and release is not None:
            name = zoo.name_of(release)
        if not name:
            raise ServingError("expected the name of a served model, got none")
        if not (address or rest):
            raise ServingError("expected an address of gRPC or REST, got neither")
        servable = Servable(name, version, label)
        self._fallback = rest and RestTransport(rest, servable, timeout)
        self._transport = self._fallback
        if address:
            try:
                from yoto_tf.export.serving.client.grpc_transport import GrpcTransport
            except ImportError as error:
                if not rest:
                    raise ServingError(
                        f"gRPC needs {error.name}, which is not installed: pip install "
                        "'yoto_tf[serving]', or give rest= an address"
                    ) from None
            else:
                self._transport = GrpcTransport(address, servable, timeout, credentials)
        self._signatures = None
        self._family = release and release.family
        self._coefficients = None if release is None else len(release.ranges)
        requests = release and family_named(release.family).resolve("requests")
        self._requests = requests and requests(release, self.predict)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Closes the connection."""
        self._transport.close()

    def signatures(self):
        """What the served model can be asked; fetched from the server once.

        Returns:
            {name: Signature}, which has `inputs` and `outputs`, {name: TensorSpec}.

        Raises:
            ServingError: no answer, or no such model.
        """
        if self._signatures is None:
            try:
                self._signatures = self._transport.signatures()
            except Unreachable:
                if self._fallback in (None, self._transport):
                    raise
                self._transport.close()
                self._transport = self._fallback
                self._signatures = self._transport.signatures()
        return self._signatures

    def predict(self, inputs, signature="serving_default", outputs=None):
        """Runs a signature on the server.

        Args:
            inputs: {name: array-like}, converted to what the signature takes.
            signature: its name.
            outputs: names of the outputs wanted; None for all.

        Returns:
            {name: array}.

        Raises:
            DataError: inputs that are not the signature's, or are too large.
            ServingError: no answer, a refusal, no such model or signature, or an answer
                of other types or shapes than the signature has.
        """
        known = self.signatures()
        if signature not in known:
            raise ServingError(
                f"unknown signature {signature!r}, the served model has "
                f"{', '.join(sorted(known))}"
            )
        specs = known[signature]
        _check_names("inputs", inputs, specs.inputs, exactly=True)
        if outputs is None:
            outputs = list(specs.outputs)
        _check_names("outputs", outputs, specs.outputs, exactly=False)
        arrays = {
            name: _cast(name, inputs[name], specs.inputs[name]) for name in inputs
        }
        self._check_coefficients(arrays)
        answer = self._transport.predict(signature, arrays, list(outputs))
        for name in outputs:
            if name not in answer:
                raise ServingError(f"the server answers without the output {name}")
            check_fits(name, answer[name], specs.outputs[name])
        return answer

    @property
    def requests(self):
        """What the family of `model` can be asked: an object with a method for each.

        The zoo's own families have methods of the client, below. Those of another
        package's family are found here only.

        Raises:
            RecipeError: the client was made without `model`, or its family has none.
        """
        if self._requests is None:
            families = all_families().values()
            raise self._not_of(family.name for family in families if family.requests)
        return self._requests

    def compress(self, image, quality=None, **coefficients):
        """Compresses a picture, the networks there and the range coder here.

        Args:
            image: uint8 [H, W, 3].
            quality: 0 (smallest) to 1 (best); or
            **coefficients: `distortion=λ`.

        Returns:
            bytes, the content of a `.yoto` file, which `Codec.decompress` reads too.

        Raises:
            RecipeError: the client was made without `model`, or for no codec.
            DataError, FormatError, CoefficientError: as `Codec.compress`.
            ServingError: as `predict`; or the server runs another model.
        """
        return self._requests_with("compress").compress(image, quality, **coefficients)

    def decompress(self, data):
        """Decodes a `.yoto` file of the served codec, whoever wrote it.

        Args:
            data: bytes.

        Returns:
            uint8 [H, W, 3].

        Raises:
            RecipeError, ServingError: as `compress`.
            FormatError: a damaged or foreign file, or one of another model.
        """
        return self._requests_with("decompress").decompress(data)

    def compress_many(self, images, quality=None, **coefficients):
        """Compresses pictures, those of one size in one request.

        Args:
            images: list of uint8 [H, W, 3], of any sizes.
            quality: as `compress`, or one for each picture; or
            **coefficients: likewise.

        Returns:
            A list of bytes.

        Raises:
            As `compress`, and DataError, if there are more or fewer values than
            pictures.
        """
        requests = self._requests_with("compress_many")
        return requests.compress_many(images, quality, **coefficients)

    def decompress_many(self, files):
        """Decodes `.yoto` files, those of one size in one request.

        Args:
            files: list of bytes.

        Returns:
            A list of uint8 [H, W, 3].

        Raises:
            As `decompress`.
        """
        return self._requests_with("decompress_many").decompress_many(files)

    def stylize_many(self, images, style, **coefficients):
        """Stylises pictures, those of one size in one request.

        Args:
            images: list of uint8 [H, W, 3], of any sizes.
            style: as `stylize`, or a list of one for each picture.
            **coefficients: likewise.

        Returns:
            A list of uint8 [H, W, 3].

        Raises:
            As `stylize`, and DataError, if there are more or fewer values than
            pictures.
        """
        requests = self._requests_with("stylize_many")
        return requests.stylize_many(images, style, **coefficients)

    def stylize(self, image, style, **coefficients):
        """Stylises a picture.

        Args:
            image: uint8 [H, W, 3].
            style: a name, a mixture {name: weight} or "name=weight,name=weight".
            **coefficients: `content=`, `style_1=` … `style_4=`; those not named take
                the middle of their range.

        Returns:
            uint8 [H, W, 3].

        Raises:
            RecipeError: the client was made without `model`, or for no stylizer.
            DataError, StyleError, CoefficientError: as `Stylizer.stylize`.
            ServingError: as `predict`.
        """
        return self._requests_with("stylize").stylize(image, style, **coefficients)

    def reconstruct(self, image, **coefficients):
        """A codec's picture after quantisation, or a VAE's from the latents' means.

        Args:
            image: uint8 [H, W, 3] for a codec, uint8 [N, H, W, C] for a VAE.
            **coefficients: `distortion=` (or `quality=`), or `kl=`.

        Returns:
            uint8 of the same shape.

        Raises:
            RecipeError: the client was made without `model`, or with one of another
                family.
            DataError, CoefficientError, ServingError: see above.
        """
        return self._requests_with("reconstruct").reconstruct(image, **coefficients)

    def sample(self, number, seed=None, **coefficients):
        """Draws pictures from a VAE, as `VAE.sample` does.

        Args:
            number: how many, ≥ 1.
            seed: integer ≥ 0 for the same latents every time, or None.
            **coefficients: `kl=β`.

        Returns:
            uint8 [number, H, W, C].

        Raises:
            RecipeError: the client was made without `model`, or for no VAE.
            DataError, CoefficientError, ServingError: see above.
        """
        return self._requests_with("sample").sample(number, seed, **coefficients)

    def _check_coefficients(self, inputs):
        """Compares a vector with what `model` has; a signature says nothing of it.

        Raises:
            DataError: another shape than [K] or [B, K].
        """
        vector, size = inputs.get("coefficients"), self._coefficients
        if vector is None or size is None:
            return
        if vector.ndim not in (1, 2) or vector.shape[-1] != size:
            raise DataError(
                f"input coefficients is {list(vector.shape)}, expected [{size}] or "
                f"[batch, {size}]"
            )

    def _requests_with(self, method):
        """`requests`, if the family can be asked for this."""
        if not hasattr(self._requests, method):
            raise self._not_of(
                name
                for name, family in all_families().items()
                if hasattr(family.resolve("requests"), method)
            )
        return self._requests

    def _not_of(self, names):
        return RecipeError(
            f"expected a client of the family {' or '.join(names)}, got one of "
            f"{self._family or 'none'}: name what the server runs with model="
        )


def _check_names(kind, given, known, exactly):
    unknown = sorted(set(given) - set(known))
    missing = sorted(set(known) - set(given)) if exactly else []
    if unknown or missing:
        raise DataError(
            f"expected the {kind} {', '.join(known)}, got {', '.join(given) or 'none'}"
        )


def _cast(name, value, spec):
    array = np.asarray(value)
    if spec.dtype == "bytes":
        return array.astype(object)
    if array.dtype.kind not in "buif" or not np.can_cast(
        array.dtype, spec.dtype, "same_kind"
    ):
        raise DataError(f"input {name} is {array.dtype}, expected {spec.dtype}")
    return array.astype(spec.dtype, copy=False)
