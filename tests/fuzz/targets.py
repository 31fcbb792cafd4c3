"""What is tried, by name."""

import contextlib
import dataclasses
import functools
import gzip
import io
import struct
import tarfile
import tempfile
import time
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import numpy as np

from yoto_tf.errors import YotoError

SECONDS = 20
_SEEDS = Path(__file__).parent / "seeds"


@dataclasses.dataclass(frozen=True)
class Target:
    """Something that reads bytes.

    Attributes:
        name: also that of its folder below `seeds`.
        good: function to the list of intact inputs that are damaged.
        read: function of bytes that returns or raises a `YotoError`.
    """

    name: str
    good: Callable
    read: Callable

    @property
    def folder(self):
        return _SEEDS / self.name

    def kept(self):
        """{name: bytes} of what was found before."""
        return {path.name: path.read_bytes() for path in sorted(self.folder.glob("*"))}

    def check(self, content):
        """Reads an input; raises what a reader must not."""
        began = time.monotonic()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with contextlib.suppress(YotoError):
                self.read(content)
        seconds = time.monotonic() - began
        assert seconds < SECONDS, f"it took {seconds:.0f} s"


@functools.cache
def _coding():
    """The range coder of a small codec; no network is built."""
    from yoto_tf import zoo
    from yoto_tf.zoo.codec.coding.symbol_codings import symbol_coding_of

    release = zoo.release_of("codec-small")
    return release, release.coefficients, symbol_coding_of(release)


@functools.cache
def _containers():
    from yoto_tf.zoo.codec.coding.container import Container
    from yoto_tf.zoo.codec.second_layer.choice import exact
    from yoto_tf.zoo.codec.second_layer.residual import encode_residual

    release, coefficients, coding = _coding()
    rng, vector = np.random.default_rng(0), coefficients.at(0.5)
    image = rng.integers(0, 9, (70, 100, 3), "uint8")
    rows, columns = 2, 2
    integers = [
        rng.integers(-3, 4, (rows * scale, columns * scale, channels)).astype("int32")
        for scale, channels in zip(
            [coding.codes[0].side // code.side for code in coding.codes],
            coding.channels,
            strict=True,
        )
    ]
    values = tuple(map(float, vector))
    plain = Container(release.id, values, 70, 100, coding.write(integers, vector))
    blocks = np.array([[True, False], [False, True]])
    residual = encode_residual(image, blocks, 3)
    return [
        plain.to_bytes(),
        dataclasses.replace(plain, residual=residual).to_bytes(),
        exact(image).to_bytes(),
        exact(np.zeros((40, 40, 3), "uint8")).to_bytes(),
    ]


def _read_container(content):
    from yoto_tf.zoo.codec.coding.container import Container
    from yoto_tf.zoo.codec.lossless.picture import decode_picture
    from yoto_tf.zoo.codec.second_layer.residual import decode_residual

    release, coefficients, coding = _coding()
    with contextlib.suppress(YotoError):
        Container.from_bytes(content)
    container = Container.from_bytes(_with_checksum(content))
    size = container.height, container.width
    # What is left out takes the time of a large picture, which is promised no limit.
    if size[0] * size[1] > 2**16:
        return
    if container.lossless is not None:
        decode_picture(container.lossless, *size)
        return
    vector = container.vector(release.id, coefficients, release.former_ids)
    rows, columns = container.blocks(coding.codes[0].side)
    coding.read(container.sections, rows, columns, vector)
    if container.residual is not None:
        decode_residual(container.residual, *size)(np.zeros((*size, 3), "uint8"))


def _with_checksum(content):
    """The file with the checksum that it should have."""
    from yoto_tf.zoo.codec.coding.container import _checksum

    if len(content) < 14:
        return content
    end = 14 + 4 * content[13] + (12 if content[4] == 1 else 8)
    head, payload = content[:end], content[end + 8 :]
    return head + _checksum(head, payload) + payload


def _archives():
    buffers = []
    for form in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT):
        buffers.append(io.BytesIO())
        with tarfile.open(fileobj=buffers[-1], mode="w", format=form) as archive:
            for name in ("saved_model.pb", "release/config.json", "a" * 90 + "/é"):
                member = tarfile.TarInfo(name)
                member.size = 700
                archive.addfile(member, io.BytesIO(bytes(range(100)) * 7))
            folder = tarfile.TarInfo("variables")
            folder.type = tarfile.DIRTYPE
            archive.addfile(folder)
    return [buffer.getvalue() for buffer in buffers]


def _read_archive(content):
    """As it is, and compressed, so that faults come through to the archive."""
    from yoto_tf.zoo.archive import unpack
    from yoto_tf.zoo.limits import Limits

    limits = Limits(unpacked_bytes=2**22, members=50, seconds=10)
    for packed in (content, gzip.compress(content, 1)):
        with tempfile.TemporaryDirectory() as folder:
            inside = Path(folder, "inside")
            inside.mkdir()
            with contextlib.suppress(YotoError):
                unpack(io.BytesIO(packed), inside, "archive", limits)
            assert list(Path(folder).iterdir()) == [inside]


@functools.cache
def _pictures():
    from PIL import Image

    y, x = np.mgrid[:12, :16]
    color = Image.fromarray(np.stack([16 * x, 20 * y, x + y], -1).astype("uint8"))
    clear = color.convert("RGBA")
    clear.putalpha(Image.fromarray((10 * x).astype("uint8")))
    deep = Image.fromarray((4000 * x).astype("uint16"))
    exif = Image.Exif()
    exif[0x0112] = 6
    later = [color.rotate(90), color.rotate(180)]
    frames = {"save_all": True, "append_images": later}
    made = (
        (color, "PNG", {"exif": exif}),
        (clear, "PNG", {}),
        (color.convert("P"), "PNG", {"transparency": 3}),
        (deep, "PNG", {}),
        (color, "PNG", frames),
        (color, "JPEG", {"exif": exif}),
        (color.convert("CMYK"), "JPEG", {"progressive": True}),
        (color, "MPO", frames),
        (color, "GIF", frames),
        (color, "WEBP", frames),
        (clear, "WEBP", {"lossless": True}),
        (color, "TIFF", {"compression": "tiff_lzw"}),
        (deep, "TIFF", {}),
        (color, "TIFF", frames),
        (color.convert("1"), "TIFF", {"compression": "group4"}),
        (color, "BMP", {}),
        (color, "PPM", {}),
        (deep, "PPM", {}),
    )
    contents = []
    for image, form, options in made:
        if "append_images" in options:
            options = {**options, "append_images": [frame.copy() for frame in later]}
        buffer = io.BytesIO()
        # Pillow's pictures remember how they were saved last.
        image.copy().save(buffer, form, **options)
        contents.append(buffer.getvalue())
    return contents


def _read_picture(content):
    from PIL import Image

    from yoto_tf.data import read_image
    from yoto_tf.zoo.stylization.animation import convert_animation, is_animation

    with (
        tempfile.TemporaryDirectory() as folder,
        # A picture of as many pixels as Pillow allows takes its time, as it should.
        mock.patch.object(Image, "MAX_IMAGE_PIXELS", 2**16),
    ):
        path = Path(folder, "picture")
        path.write_bytes(_with_sums(content))
        with contextlib.suppress(YotoError):
            image = read_image(path)
            assert image.dtype == np.uint8
            assert image.shape[2:] == (3,)
        if is_animation(path):
            convert_animation(path, Path(folder, "again.gif"), lambda frame: frame)


def _with_sums(content):
    """A PNG whose chunks have the checksums that they should have."""
    if content[:8] != b"\x89PNG\r\n\x1a\n":
        return content
    parts, at = [content[:8]], 8
    while at + 12 <= len(content):
        (length,) = struct.unpack_from(">I", content, at)
        body = content[at + 4 : at + 8 + length]
        parts += [content[at : at + 4], body, struct.pack(">I", zlib.crc32(body))]
        at += 12 + length
    return b"".join([*parts, content[at:]])


@functools.cache
def _answers():
    """Answers over gRPC and REST, after a byte that says which they are."""
    from yoto_tf.export.serving import messages
    from yoto_tf.export.serving.tensors import fill_tensor

    response = messages.PredictResponse()
    fill_tensor(response.outputs["image"], np.ones((1, 2, 3), "float32"))
    fill_tensor(response.outputs["symbols"], np.arange(6, dtype="int32").reshape(2, 3))
    values = messages.PredictResponse()
    tensor = values.outputs["image"]
    tensor.dtype = 1
    tensor.float_val.extend([0.5])
    for size in (1, 2, 3):
        tensor.tensor_shape.dim.add(size=size)
    signatures = messages.SignatureDefMap()
    info = signatures.signature_def["stylize"].outputs["image"]
    info.name, info.dtype = "image:0", 1
    info.tensor_shape.dim.add(size=-1)
    metadata = messages.GetModelMetadataResponse()
    metadata.metadata["signature_def"].value = signatures.SerializeToString()
    tensors = (
        b'{"dtype": "DT_FLOAT", "tensor_shape": {"dim": [{"size": "-1"}, '
        b'{"size": "3"}], "unknown_rank": false}}'
    )
    described = (
        b'{"metadata": {"signature_def": {"signature_def": {"s": {"inputs": {"image": '
        + tensors
        + b'}, "outputs": {"image": '
        + tensors
        + b', "symbols": '
        + tensors.replace(b"FLOAT", b"INT32")
        + b"}}}}}}"
    )
    return [
        b"g" + response.SerializeToString(),
        b"g" + values.SerializeToString(),
        b"G" + metadata.SerializeToString(),
        b'r{"outputs": {"image": [[0.5, 1.0, 2]], "symbols": [[1, 2, 3]]}}',
        b"R" + described,
    ]


def _read_answer(content):
    from google.protobuf.message import DecodeError

    from yoto_tf.export.serving import messages
    from yoto_tf.export.serving.client import rest_transport
    from yoto_tf.export.serving.client.grpc_transport import GrpcTransport
    from yoto_tf.export.serving.client.rest_transport import RestTransport
    from yoto_tf.export.serving.client.transport import (
        Servable,
        Signature,
        TensorSpec,
        check_fits,
    )

    kind, content = content[:1], content[1:]
    if kind in (b"r", b"R"):
        client = RestTransport("127.0.0.1:1", Servable("model"), 1)
        specs = {
            "image": TensorSpec("float32", (None, 3)),
            "symbols": TensorSpec("int32", (None, 3)),
        }
        with mock.patch.object(rest_transport, "read_in_time", return_value=content):
            if kind == b"R":
                client.signatures()
                return
            # What a server that is asked first would have said.
            client._known = {"s": Signature({}, specs)}
            answer = client.predict("s", {}, ["image", "symbols"])
        for name, array in answer.items():
            check_fits(name, array, specs[name])
        return
    client = GrpcTransport("127.0.0.1:1", Servable("model"), 1)
    response = messages.GetModelMetadataResponse
    if kind == b"g":
        response = messages.PredictResponse
    try:
        message = response.FromString(content)
    except DecodeError:
        # grpcio makes an error of it, with a code.
        return
    finally:
        client.close()
    client._predict = client._metadata = lambda *_, **__: message
    if kind == b"g":
        client.predict("s", {}, ["image", "symbols"])
    else:
        client.signatures()


@functools.cache
def _release_files():
    """A configuration and weights, of one release; its network is never built."""
    from yoto_tf import zoo
    from yoto_tf.zoo.array_file import WEIGHTS
    from yoto_tf.zoo.release_folder import write_release

    arrays = {"a/kernel": np.ones((2, 3), "float16"), "b": np.ones(4, "float16")}
    release = dataclasses.replace(zoo.release_of("vae-mnist"), weights=arrays, card="")
    with tempfile.TemporaryDirectory() as folder:
        write_release(folder, release)
        names = ("config.json", WEIGHTS)
        return [Path(folder, name).read_bytes() for name in names]


def _read_release(content):
    """A folder of which one file is damaged."""
    from yoto_tf.zoo.release_folder import read_release
    from yoto_tf.zoo.release_summary import read_summary

    config, weights = _release_files()
    if content[:1] == b"{":
        config = content
    else:
        weights = content
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        (folder / "config.json").write_bytes(config)
        (folder / "weights.safetensors").write_bytes(weights)
        with contextlib.suppress(YotoError):
            read_summary(folder)
        read_release(folder)


TARGETS = {
    target.name: target
    for target in (
        Target("container", _containers, _read_container),
        Target("archive", _archives, _read_archive),
        Target("picture", _pictures, _read_picture),
        Target("serving", _answers, _read_answer),
        Target("release", _release_files, _read_release),
    )
}
