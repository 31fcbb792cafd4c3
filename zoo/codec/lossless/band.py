"""A band of a picture to bytes and back, within a greatest error per sample.

offset  bytes  field
0       1      number of lanes, as a power of two, 0 to 12
1       1      sets of weights, 0 to 3; none: the default
2       3      the first sample of each channel
5       4      length of the weights
9       4      length of the digits
        …      weights, digits, entropy coded tokens
"""

import dataclasses
import struct

import numpy as np

from yoto_tf.errors import FormatError
from yoto_tf.machine.blas import single_threaded_blas
from yoto_tf.zoo.codec.lossless.bits import (
    DigitReader,
    DigitWriter,
    rice_decode,
    rice_encode,
)
from yoto_tf.zoo.codec.lossless.fitting import (
    default_prediction,
    default_scale,
    fit_prediction,
    fit_scale,
)
from yoto_tf.zoo.codec.lossless.interleaved_rans import Decoder, encode_intervals
from yoto_tf.zoo.codec.lossless.lattice import PASSES, Lattice, scales
from yoto_tf.zoo.codec.lossless.prediction import (
    MAX_WEIGHT,
    PREDICTION_BITS,
    Planes,
    expect,
    num_magnitudes,
    num_terms,
    predict,
)
from yoto_tf.zoo.codec.lossless.statistics import (
    Statistics,
    contexts_of,
    join,
    split,
    widths_of,
)

# Green says most of the other two, and is coded first.
_ORDER = [1, 0, 2]
_STEPS = [(channel, name) for channel in range(3) for name in PASSES]
_HEAD = struct.Struct("<BB3sII")
_HALF = 1 << PREDICTION_BITS - 1
_MAX_LANES = 12
_MAX_SETS = 3


@dataclasses.dataclass
class _Weights:
    """Weights of all passes at some spacings: {step: int array} each."""

    prediction: dict
    scale: dict

    @classmethod
    def default(cls):
        """Weights that are used without a fit."""
        return cls(
            {step: default_prediction(*step) for step in _STEPS},
            {step: default_scale(step[0]) for step in _STEPS},
        )


def encode_band(image, tolerance=0):
    """Encodes a part of a picture.

    Args:
        image: uint8 [h, w, 3].
        tolerance: int from 0 to 127, the greatest error of a sample.

    Returns:
        bytes.
    """
    height, width = image.shape[:2]
    originals = image[..., _ORDER].transpose(2, 0, 1).astype("int32")
    spacings = scales(height, width)
    fitted = _num_sets(height * width)
    sets = [_Weights.default() for _ in range(max(fitted, 1))]
    levels = [Planes.of(originals[:, ::s, ::s]) for s in spacings]
    if fitted:
        with single_threaded_blas():
            for weights, group in zip(sets, _grouped(levels, fitted), strict=True):
                weights.prediction = {s: fit_prediction(group, *s) for s in _STEPS}
    passes = []

    def errors_of(level, step, planes, prediction):
        if step == _STEPS[0]:
            passes.append((planes, {}))
        rounded = prediction + _HALF >> PREDICTION_BITS
        missed = levels[level].samples[step[0]][step[1]] - rounded
        errors = np.sign(missed) * ((np.abs(missed) + tolerance) // (2 * tolerance + 1))
        passes[-1][1][step] = prediction, errors
        return errors

    _walk(originals[:, :1, :1], height, width, sets, tolerance, errors_of)
    if fitted:
        with single_threaded_blas():
            for weights, group in zip(sets, _grouped(passes, fitted), strict=True):
                weights.scale = {step: _fit_scale(group, step) for step in _STEPS}
    return _written(originals[:, 0, 0], passes, sets, fitted, tolerance)


def decode_band(data, height, width, tolerance=0):
    """Decodes what `encode_band` wrote.

    Args:
        data: bytes.
        height, width: of the part.
        tolerance: as it was encoded.

    Returns:
        uint8 [h, w, 3].

    Raises:
        FormatError: other bytes.
    """
    if len(data) < _HEAD.size:
        raise FormatError("damaged data: a band is cut off")
    lanes, num_sets, first, *lengths = _HEAD.unpack_from(data)
    ends = np.cumsum([_HEAD.size, *lengths]).tolist()
    if lanes > _MAX_LANES or num_sets > _MAX_SETS or ends[-1] > len(data):
        raise FormatError("damaged data: the head of a band is wrong")
    sets = _read_weights(data[ends[0] : ends[1]], num_sets)
    spacings = scales(height, width)
    digits = DigitReader(data[ends[1] : ends[2]])
    decoder, statistics = Decoder(data[ends[2] :], 1 << lanes), Statistics()

    def errors_of(level, step, planes, prediction):
        weights = sets[_set_of(level, len(spacings), len(sets))]
        expected = expect(planes, *step, weights.scale[step])
        contexts, signs = _contexts(prediction, expected, tolerance)
        tokens = np.empty(contexts.size, "uint8")
        for begin, end in statistics.pieces(contexts.size):
            tokens[begin:end] = decoder.decode(contexts[begin:end], statistics.tables())
            statistics.count(contexts[begin:end], tokens[begin:end])
        errors = join(tokens, digits.read(widths_of(tokens)))
        return (errors * signs).reshape(prediction.shape)

    start = np.frombuffer(first, "uint8").astype("int32").reshape(3, 1, 1)
    samples = _walk(start, height, width, sets, tolerance, errors_of)
    decoder.finish()
    digits.finish()
    image = np.empty((height, width, 3), "uint8")
    for channel, plane in zip(_ORDER, samples, strict=True):
        image[..., channel] = plane
    return image


def _walk(start, height, width, sets, tolerance, errors_of):
    """Goes through all passes, from the first sample to the whole planes.

    Args:
        start: int32 [3, 1, 1].
        height, width: of the planes.
        sets: list of `_Weights`, of which predictions are needed.
        tolerance: int.
        errors_of: function of the number of the spacing, the step, the `Planes` and the
            predictions, which returns the errors that are coded.

    Returns:
        A list of int32 planes.
    """
    samples, errors = list(start), [np.zeros((1, 1), "int32")] * 3
    spacings = scales(height, width)
    for level, spacing in enumerate(spacings):
        shape = -(-height // spacing), -(-width // spacing)
        planes = Planes(
            [Lattice(*shape) for _ in range(3)], [Lattice(*shape) for _ in range(3)]
        )
        for channel in range(3):
            planes.samples[channel]["A"] = samples[channel]
            planes.errors[channel]["A"] = errors[channel]
        weights = sets[_set_of(level, len(spacings), len(sets))]
        for step in _STEPS:
            channel, name = step
            prediction = predict(planes, *step, weights.prediction[step])
            found = errors_of(level, step, planes, prediction)
            rounded = prediction + _HALF >> PREDICTION_BITS
            rounded += found * (2 * tolerance + 1)
            planes.samples[channel][name] = np.clip(rounded, 0, 255)
            planes.errors[channel][name] = found
        samples = [lattice.plane() for lattice in planes.samples]
        errors = [lattice.plane() for lattice in planes.errors]
    return samples


def _written(start, passes, sets, fitted, tolerance):
    statistics, digits, pieces = Statistics(), DigitWriter(), []
    for level, (planes, coded) in enumerate(passes):
        weights = sets[_set_of(level, len(passes), len(sets))]
        for step in _STEPS:
            prediction, errors = coded[step]
            expected = expect(planes, *step, weights.scale[step])
            contexts, signs = _contexts(prediction, expected, tolerance)
            tokens, rest, widths = split(errors.ravel() * signs)
            digits.write(rest, widths)
            for begin, end in statistics.pieces(len(tokens)):
                tables = statistics.tables()
                place = contexts[begin:end], tokens[begin:end]
                pieces.append((tables.starts[place], tables.frequencies[place]))
                statistics.count(*place)
    lanes = _num_lanes(sum(len(starts) for starts, _ in pieces))
    parts = [_weight_bytes(sets[:fitted]), digits.to_bytes()]
    head = _HEAD.pack(lanes, fitted, start.astype("uint8").tobytes(), *map(len, parts))
    return b"".join([head, *parts, encode_intervals(pieces, 1 << lanes)])


def _contexts(prediction, expected, tolerance):
    """Flat contexts, and signs that make an error above its prediction likelier."""
    fraction = prediction - (prediction + _HALF >> PREDICTION_BITS << PREDICTION_BITS)
    contexts = contexts_of(expected, fraction, 2 * tolerance + 1)
    return contexts.ravel(), np.where(fraction < 0, -1, 1).ravel()


def _fit_scale(group, step):
    channel, name = step
    levels = []
    for planes, coded in group:
        missed = (planes.samples[channel][name] << PREDICTION_BITS) - coded[step][0]
        levels.append((planes, np.abs(missed) / (1 << PREDICTION_BITS)))
    return fit_scale(levels, *step)


def _grouped(levels, num_sets):
    """Lists of the levels that share a set."""
    groups = [[] for _ in range(num_sets)]
    for number, level in enumerate(levels):
        groups[_set_of(number, len(levels), num_sets)].append(level)
    return groups


def _set_of(level, count, num_sets):
    """The set of a level: one for each of the finest, the last for all others."""
    return min(count - 1 - level, num_sets - 1)


def _num_sets(pixels):
    """How many sets of weights are worth their bytes."""
    return sum(pixels >= least for least in (2**10, 2**15, 2**17))


def _num_lanes(symbols):
    return min(max(symbols // 2**13, 1).bit_length() - 1, _MAX_LANES)


def _weight_bytes(sets):
    return rice_encode(
        [
            part[step]
            for w in sets
            for part in (w.prediction, w.scale)
            for step in _STEPS
        ]
    )


def _read_weights(data, num_sets):
    lengths = [num_terms(*step) for step in _STEPS]
    lengths += [num_magnitudes(channel) for channel, _ in _STEPS]
    arrays = iter(rice_decode(data, lengths * num_sets, MAX_WEIGHT))
    if not num_sets:
        return [_Weights.default()]
    return [
        _Weights(*({step: next(arrays) for step in _STEPS} for _ in range(2)))
        for _ in range(num_sets)
    ]
