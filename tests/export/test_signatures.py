"""What a stock server would answer is what the Keras model gives."""

import itertools

import numpy as np
import pytest
from c_api_process import answers
from small_models import KINDS
from table_indexes import coded_in, table_indexes

SIZES = {
    # Different numbers of blocks too, of 64 pixels and of 16.
    "Hyperprior": [(1, 1), (64, 128), (65, 100), (130, 77)],
    "ContextHyperprior": [(1, 1), (64, 128), (65, 100), (130, 77)],
    "FactorizedPrior": [(1, 1), (16, 32), (37, 100), (70, 33)],
    "vae": [(16, 16)],
    "stylizer": [(16, 16), (17, 33), (48, 64), (50, 71)],
    "your_own": [(1, 1), (8, 8), (9, 20), (31, 17)],
}


def coefficients(rng, model, form, batch):
    """Raw float32 [K], [1, K] or [B, K] within the ranges."""
    low, high = np.array(list(model.coefficients.ranges().values())).T
    shape = {"[K]": (len(low),), "[1, K]": (1, len(low))}.get(form, (batch, len(low)))
    return (low + (high - low) * rng.random(shape)).astype("float32")


def rows(vector, batch):
    return np.broadcast_to(vector, (batch, vector.shape[-1]))


def clipped(image):
    return np.clip(image, 0, 1)


@pytest.fixture
def ask(exported, tmp_path):
    """Function of a kind and requests to answers, in a process without Python's TF."""
    return lambda kind, requests: answers(exported(kind), requests, tmp_path)


def batches(rng, model, sizes):
    """(height, width, batch size, coefficients) of every size and form."""
    forms = itertools.cycle(["[K]", "[1, K]", "[B, K]"])
    for (height, width), batch in itertools.product(sizes, (1, 3)):
        yield height, width, batch, coefficients(rng, model, next(forms), batch)


@pytest.mark.parametrize("kind", ["Hyperprior", "ContextHyperprior", "FactorizedPrior"])
def test_codec(kind, model_of, ask, photograph):
    codec, rng = model_of(kind), np.random.default_rng(0)
    cases = []
    for height, width, batch, vector in batches(rng, codec, SIZES[kind]):
        places = rng.integers(0, 380, (batch, 2))
        pixels = np.stack([photograph[y:, x:][:height, :width] for y, x in places])
        cases.append((pixels, vector))
    pictures = [
        {"image": pixels / np.float32(255), "coefficients": vector}
        for pixels, vector in cases
    ]
    answered = ask(
        kind,
        [
            (signature, inputs)
            for inputs in pictures
            for signature in ("analyze", "reconstruct", "serving_default")
        ],
    )
    names = ["hyper_latents"] * (kind != "FactorizedPrior") + ["symbols"]
    integers = [
        {name: answer[name] for name in names}
        | {"coefficients": inputs["coefficients"]}
        for inputs, answer in zip(pictures, answered[::3], strict=True)
    ]
    synthesized = ask(kind, [("synthesize", inputs) for inputs in integers])
    if kind == "Hyperprior":
        asked = [
            {name: inputs[name] for name in ("hyper_latents", "coefficients")}
            for inputs in integers
        ]
        scales = ask(kind, [("scales", inputs) for inputs in asked])
        for answer, analyzed in zip(scales, answered[::3], strict=True):
            np.testing.assert_array_equal(answer["indexes"], analyzed["indexes"])
    coding, distinct = codec.coding, set()
    for i, (pixels, vector) in enumerate(cases):
        analyzed, reconstructed, default = answered[3 * i : 3 * i + 3]
        vectors = rows(vector, len(pixels))
        arrays = codec.graphs.analyze(pixels, vectors)
        for name, expected in zip(names, arrays, strict=True):
            assert analyzed[name].dtype == np.int32
            # Where a value lies half-way, the last bit decides.
            assert np.mean(analyzed[name] != expected) < 1e-3
        for example, row in enumerate(vectors):
            level = coding.levels.index(row)
            first = analyzed[names[0]][example]
            channels = np.arange(first.shape[-1]) + level * first.shape[-1]
            indexes = analyzed["indexes"][example]
            if kind != "FactorizedPrior":
                arrays = (analyzed[name][example] for name in names)
                np.testing.assert_array_equal(
                    indexes, table_indexes(coding, *arrays, level), strict=True
                )
                indexes = analyzed["hyper_indexes"][example]
            np.testing.assert_array_equal(
                indexes, np.broadcast_to(channels, first.shape)
            )
            distinct.add(level)
        given = [integers[i][name] for name in names]
        np.testing.assert_allclose(
            synthesized[i]["image"],
            clipped(codec.graphs.synthesize(*given, vectors)),
            atol=1e-5,
        )
        inputs = {"image": pixels / np.float32(255), "coefficients": vectors}
        expected = codec.model(inputs, training=False)
        for answer in (reconstructed, default):
            np.testing.assert_allclose(
                answer["image"], clipped(expected["reconstruction"]), atol=1e-5
            )
            # A context has more scales that lie half-way between two tables.
            rtol = 1e-4 if kind == "ContextHyperprior" else 1e-5
            np.testing.assert_allclose(answer["bits"], expected["bits"], rtol=rtol)
    assert len(distinct) > 5
    assert np.ptp(analyzed["symbols"]) > 2


def test_scales_are_exact(model_of, ask):
    codec, rng = model_of("Hyperprior"), np.random.default_rng(1)
    edges = codec.coding.levels.edges[::16]
    # Around the edges of levels, and beyond what a decoder should be given.
    vectors = np.concatenate([edges, np.nextafter(edges, 1), np.nextafter(edges, 0)])
    requests, expected = [], []
    for limit in (3, 40, 3000, 2**30):
        hyper_latents = rng.integers(-limit, limit, (len(vectors), 2, 3, 8), "int32")
        inputs = {"hyper_latents": hyper_latents, "coefficients": vectors[:, None]}
        requests.append(("scales", inputs))
        expected.append(
            [
                codec.coding.scales(some, codec.coding.levels.index([value]))
                for some, value in zip(hyper_latents, vectors, strict=True)
            ]
        )
    for answer, indexes in zip(ask("Hyperprior", requests), expected, strict=True):
        np.testing.assert_array_equal(answer["indexes"], np.stack(indexes))
    assert len(np.unique(expected)) > 20


def test_scales_of_each_pass(model_of, ask, photograph):
    """What a decoder without the network asks: it knows ever more symbols."""
    coding, rng = model_of("ContextHyperprior").coding, np.random.default_rng(1)
    vectors = coefficients(rng, model_of("ContextHyperprior"), "[B, K]", 3)
    pixels = np.stack([photograph[y : y + 130, :70] for y in (0, 150, 300)])
    inputs = {"image": pixels / np.float32(255), "coefficients": vectors}
    [analyzed] = ask("ContextHyperprior", [("analyze", inputs)])
    inputs = {"hyper_latents": analyzed["hyper_latents"], "coefficients": vectors}
    known, depth = np.zeros_like(analyzed["symbols"]), coding.channels[1] // 4
    for number in range(4):
        given = {**inputs, "symbols": known} if number else inputs
        [answer] = ask("ContextHyperprior", [(f"scales_{number}", given)])
        for (row, column), channels in coded_in(number, depth):
            place = (slice(None), slice(row, None, 2), slice(column, None, 2))
            np.testing.assert_array_equal(
                answer["indexes"][place], analyzed["indexes"][place][..., channels]
            )
            part = analyzed["symbols"][place][..., channels]
            known[place][..., channels] = part
    np.testing.assert_array_equal(known, analyzed["symbols"])
    assert len(np.unique(analyzed["indexes"])) > 10


def test_vae(model_of, ask):
    vae, rng = model_of("vae"), np.random.default_rng(0)
    network, requests, expected = vae.model, [], []
    for form, batch in itertools.product(("[K]", "[1, K]", "[B, K]"), (1, 3)):
        vector = coefficients(rng, vae, form, batch)
        embedding = network.embedding(rows(vector, batch))
        image = rng.random((batch, 16, 16, 3), "float32")
        noise = rng.standard_normal((batch, network.latents), "float32")
        mean, deviation = network.encode(image, embedding)

        def decoded(latents, embedding=embedding):
            return {
                "image": clipped(network.decode(latents, embedding)["reconstruction"])
            }

        for name, inputs, outputs in (
            ("reconstruct", {"image": image}, decoded(mean)),
            ("serving_default", {"image": image}, decoded(mean)),
            ("encode", {"image": image}, {"mean": mean, "stddev": deviation}),
            ("sample", {"noise": noise}, decoded(noise)),
            ("decode", {"latents": noise}, decoded(noise)),
        ):
            requests.append((name, {**inputs, "coefficients": vector}))
            expected.append(outputs)
    for answer, outputs in zip(ask("vae", requests), expected, strict=True):
        assert answer.keys() == outputs.keys()
        for name, array in outputs.items():
            np.testing.assert_allclose(answer[name], array, atol=1e-5)


def test_stylizer(model_of, ask, photograph):
    stylizer, rng = model_of("stylizer"), np.random.default_rng(0)
    requests, expected = [], []
    for height, width, batch, vector in batches(rng, stylizer, SIZES["stylizer"]):
        pixels = np.stack([photograph[i * 9 :][:height, :width] for i in range(batch)])
        image = pixels / np.float32(255)
        shape = {1: (3,), 2: (batch, 3)}[vector.ndim]
        style = rng.random(shape, "float32")
        inputs = {"image": image, "style": style, "coefficients": vector}
        requests += [("stylize", inputs), ("serving_default", inputs)]
        inputs = inputs | {
            "style": rows(style, batch),
            "coefficients": rows(vector, batch),
        }
        expected += [stylizer.model(inputs)] * 2
    for answer, image in zip(ask("stylizer", requests), expected, strict=True):
        np.testing.assert_allclose(answer["image"], image, atol=1e-5)


def test_stylizer_with_a_painting_to_look_at(model_of, ask, photograph):
    stylizer, rng = model_of("stylizer"), np.random.default_rng(0)
    paintings = rng.random((2, 384, 384, 3), "float32")
    [answer] = ask("stylizer", [("predict_style", {"painting": paintings})])
    vectors = answer["style_vector"]
    expected = stylizer.model.predict_style(paintings)
    np.testing.assert_allclose(vectors, expected, rtol=1e-4, atol=1e-4)
    image = np.repeat(photograph[None, :48, :64] / np.float32(255), 2, axis=0)
    coefficients = np.full((2, 5), 0.1, "float32")
    inputs = {"image": image, "coefficients": coefficients}
    # One for each picture, and one for all.
    requests = [
        ("stylize_as", {**inputs, "style_vector": vectors}),
        ("stylize_as", {**inputs, "style_vector": vectors[0]}),
    ]
    answers = ask("stylizer", requests)
    for answer, of_each in zip(answers, (vectors, vectors[[0, 0]]), strict=True):
        expected = stylizer.model({**inputs, "style": of_each})
        np.testing.assert_allclose(answer["image"], expected, atol=1e-5)


def test_your_own(model_of, ask):
    model, rng = model_of("your_own"), np.random.default_rng(0)
    requests, expected = [], []
    for height, width, batch, vector in batches(rng, model, SIZES["your_own"]):
        noisy = rng.random((batch, height, width, 1), "float32")
        requests.append(("serving_default", {"noisy": noisy, "coefficients": vector}))
        inputs = {"noisy": noisy, "coefficients": rows(vector, batch)}
        expected.append(model(inputs, training=False))
    for answer, output in zip(ask("your_own", requests), expected, strict=True):
        np.testing.assert_allclose(answer["output"], output, atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_values_out_of_range_are_clipped(kind, model_of, ask):
    ranges = np.array(list(model_of(kind).coefficients.ranges().values()), "float32")
    low, high = ranges.T
    if kind == "your_own":
        inputs = {"noisy": np.random.default_rng(0).random((2, 8, 8, 1), "float32")}
    else:
        inputs = {"image": np.random.default_rng(0).random((2, 16, 16, 3), "float32")}
    if kind == "stylizer":
        inputs["style"] = np.float32([0.2, 0, 0.8])
    wild = (low, low - 1e9, np.full_like(low, np.nan), high, high * 2, high * np.inf)
    same_as_low, same_as_high = np.split(
        np.array(
            [
                answer[next(iter(answer))]
                for answer in ask(
                    kind,
                    [("serving_default", {**inputs, "coefficients": v}) for v in wild],
                )
            ]
        ),
        2,
    )
    for answers_of_an_end in (same_as_low, same_as_high):
        np.testing.assert_array_equal(
            answers_of_an_end, answers_of_an_end[:1].repeat(3, 0)
        )
    assert np.abs(same_as_low[0] - same_as_high[0]).max() > 1e-4


@pytest.mark.parametrize(
    ("kind", "shape"),
    [
        # As many numbers as there are examples, and more than one vector.
        ("vae", (1, 3)),
        ("vae", (3,)),
        ("vae", ()),
        ("vae", (1, 3, 1)),
        ("stylizer", (5, 1)),
    ],
)
def test_coefficients_of_another_shape_are_refused(kind, shape, ask):
    inputs = {"image": np.zeros((3, 16, 16, 3), "float32")}
    if kind == "stylizer":
        inputs["style"] = np.eye(3, dtype="float32")
    inputs["coefficients"] = np.full(shape, 0.1, "float32")
    size = {"vae": 1, "stylizer": 5}[kind]
    expected = f"expected the shape \\[{size}\\] or \\[batch, {size}\\]"
    with pytest.raises(RuntimeError, match=f"input coefficients: {expected}"):
        ask(kind, [("serving_default", inputs)])


def test_style_weights_of_another_shape_are_refused(ask):
    inputs = {
        "image": np.zeros((3, 16, 16, 3), "float32"),
        "style": np.eye(3, dtype="float32").reshape(1, 9),
        "coefficients": np.full(5, 0.1, "float32"),
    }
    with pytest.raises(RuntimeError, match="input style: expected the shape"):
        ask("stylizer", [("stylize", inputs)])


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf, 3e38])
def test_requests_that_nobody_checked(model_of, ask, number):
    """Numbers that are none, or too large, in any input give finite answers."""
    rng = np.random.default_rng(0)
    image = rng.random((1, 64, 64, 3)).astype("float32")
    broken = image.copy()
    broken[0, 5:9, 5:9] = number
    vector = np.full((1, 5), 0.1, "float32")
    wrong = np.full((1, 3), number, "float32")
    style = np.eye(3, dtype="float32")[:1]
    size = model_of("stylizer").model.table.vector_size
    numbers = np.full((1, size), number, "float32")
    painting = np.full((1, 384, 384, 3), number, "float32")
    pictures = ask(
        "stylizer",
        [
            ("stylize", {"image": image, "style": wrong, "coefficients": vector}),
            ("stylize", {"image": broken, "style": style, "coefficients": vector}),
            ("stylize", {"image": image, "style": 0 * style, "coefficients": vector}),
            (
                "stylize_as",
                {"image": image, "style_vector": numbers, "coefficients": vector},
            ),
        ],
    )
    for answer in pictures:
        assert np.isfinite(answer["image"]).all()
    [answer] = ask("stylizer", [("predict_style", {"painting": painting})])
    assert np.isfinite(answer["style_vector"]).all()
    distortion = np.full((1, 1), 0.02, "float32")
    [answer] = ask(
        "Hyperprior", [("analyze", {"image": broken, "coefficients": distortion})]
    )
    for name, array in answer.items():
        assert np.abs(array.astype("int64")).max() < 2**15, name
