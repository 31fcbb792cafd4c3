"""What the README and the guides quote of `benchmarks/results`, page by page.

A page's function yields the pieces of text that the page must contain.
"""

import format_table
import numpy as np
from quoted_codec_figures import codec
from spelled import number, percent, results, row, signed


def web():
    found = results("web_speed")
    seconds = {key: value / 1000 for key, value in found["milliseconds_to"].items()}
    frames = found["frames_per_second"]
    megabytes = {key: value / 1e6 for key, value in found["bytes"].items()}
    yield f"after {seconds['first_paint']:.2f} s and shows its first"
    yield f"picture after {seconds['first_picture']:.2f} s; "
    yield f"{frames['256 × 256']:.1f} pictures a second at 256×256"
    yield f"{frames['512 × 512']:.1f} at 512×512"
    yield f"{frames['camera, 256 × 192']:.1f} from a camera at 256×192"
    yield f"folder has {megabytes['all']:.1f} MB, {megabytes['network']:.1f} of"
    yield f"WebGL, WebAssembly | {megabytes['runtime']:.1f} MB |"
    codecs = results("web_codec_speed")
    (codec, small) = (codecs[name]["768 × 512"] for name in ("codec", "codec-small"))
    yield f"in {codec['encode_seconds']} s and shows one in {codec['decode_seconds']} s"
    yield f"in {small['encode_seconds']} s and {small['decode_seconds']} s; the folders"
    sizes = [f"{found['bytes']['all'] / 1e6:.1f}" for found in codecs.values()]
    yield f"folders have {' and '.join(sizes)} MB"


def export():
    for model, targets in results("export_table")["models"].items():
        for target, found in targets.items():
            size = found["bytes"]
            yield row(
                f"`{model}`",
                target,
                "" if size is None else f"{size / 1e6:.1f}",
                f"{1000 * found['seconds']:.0f}",
                f"{found['difference']:.1e}",
            )


def onnx():
    models = results("export_table")["models"]
    ratio = {}
    for model in ("codec", "codec-small", "stylization"):
        seconds = {name: found["seconds"] for name, found in models[model].items()}
        ratio[model] = f"{seconds['onnx'] / seconds['saved-model']:.1f} times"
        assert seconds["litert, float16"] > seconds["onnx"]
    yield f"{ratio['codec']} as long as TensorFlow"
    yield f"for `codec`, {ratio['codec-small']} for `codec-small` and"
    yield f"{ratio['stylization']} for `stylization`"


def litert():
    """It says in words how large and how fast int8 is beside float16."""
    faster = set()
    for model, targets in results("export_table")["models"].items():
        half, byte = targets["litert, float16"], targets["litert, int8"]
        assert 0.35 < 1 - byte["bytes"] / half["bytes"] < 0.5
        if byte["seconds"] < half["seconds"]:
            faster.add(model)
    assert faster == {"stylization"}
    yield "int8 takes off another two fifths of the bytes"
    yield "on a desktop processor it is faster for the stylizer alone"
    integers = results("litert_integers")
    codec, stylizer = (
        integers["models"][name] for name in ("codec-small", "stylization")
    )
    yield f"Calibrated with {integers['requests']} photographs"
    reached = codec["integers"]["psnr"]
    loss = codec["float16"]["psnr"] - reached
    yield f"{reached:.1f} dB, a loss of {loss:.1f} dB at equal rate"
    milliseconds = [1000 * codec[kind]["seconds"] for kind in ("integers", "float16")]
    yield "{:.0f} ms a crop of 256×256 in place of {:.0f} ms in".format(*milliseconds)
    yield f"the stylizer's pictures are {stylizer['integers']['psnr']:.1f} dB from"
    yield f"those of float16 are {stylizer['float16']['psnr']:.1f} dB from them"
    yield f"and take {stylizer['integers']['seconds'] * 1000:.0f} ms in place of"
    yield f"in place of {stylizer['float16']['seconds'] * 1000:.0f} ms ("


def serving():
    for asked, batches in results("serving_load")["results"].items():
        for pictures, clients in batches.items():
            for number_of_clients, found in clients.items():
                yield row(
                    asked,
                    pictures,
                    number_of_clients,
                    f"{found['requests_a_second']:.1f}",
                    f"{number(found['percentile_99_ms'], 0)} ms",
                )


def many_pictures():
    found = results("bulk_speed")
    for command, measured in found["commands"].items():
        for workers, rates in measured["workers"].items():
            yield row(
                f"`{command}`",
                workers,
                f"{rates['plain_pictures_a_second']:.2f}",
                f"{rates['ray_pictures_a_second']:.2f}",
                f"{rates['ray_over_plain']:.2f}",
            )
    compress, decompress = (
        found["commands"][command]["on_paper"] for command in ("compress", "decompress")
    )
    yield f"take {number(compress['processor_hours'], 0)} hours of one core to compress"
    yield f"{compress['machines_of_64_for_a_day']:.0f} machines with 64 cores, and"
    yield f"and {number(decompress['processor_hours'], 0)} hours or"
    yield f"{decompress['machines_of_64_for_a_day']:.0f} machines to decompress"


def train_your_own():
    found = results("many_processes")
    one, two = (found[f"processes_{processes}"] for processes in (1, 2))
    yield f"{one:.2f} steps a second in one process and {two:.2f} in two"


def mean_correlations():
    found = list(results("stylization_dials")["rank_correlation"].values())
    means = {dial: np.mean([style[dial] for style in found]) for dial in found[0]}
    return ", ".join(f"`{dial}` {number(mean, 2)}" for dial, mean in means.items())


def stylized_pictures():
    """How far the dials are apart, the weave, and the flicker of films."""
    apart = results("dial_independence")["ratios"]
    for first in range(1, 4):
        ratios = [apart[f"style_{first}, style_{n}"] for n in range(first + 1, 5)]
        cells = [""] * (first - 1) + [f"{ratio:.2f}" for ratio in ratios]
        yield row(f"`style_{first}`", *cells)
    found = results("stylization_weave")
    yield f"the photograph itself {found['photograph']:.2f}"
    ratios = {
        (style, setting): ratio
        for style, settings in found["released"]["styles"].items()
        for setting, ratio in settings.items()
    }
    style, setting = worst = max(ratios, key=ratios.get)
    yield f"{ratios[worst]:.2f} at the most (`{style}`, {setting})"
    more = sum(ratio > 1.3 for ratio in ratios.values())
    mean = np.mean(list(ratios.values()))
    yield f"{mean:.2f} in the mean, {more} of {len(ratios)} more"
    film = results("film_stability")["released"]
    yield f"the still one changes {film['still']:.2f} times as much"
    yield f"after shifting it back, {film['pan']:.2f} times as much"
    yield f"content {film['content']:.3f}, the four style terms"
    yield f"together {film['style']:.3f}"


def strokes():
    found = results("stroke_size")["mean"]
    ours, plain, lanczos = (
        found[way] for way in ("stroke auto", "stroke 1", "Lanczos")
    )
    yield f"is away by {plain['away']:.1f} steps of 255 with a stroke of 1"
    yield f"a stroke of 1, and {ours['away']:.1f} by default"
    yield f"enlarged by Lanczos, {lanczos['away']:.1f}"
    yield f"slope is {ours['slope'] / lanczos['slope']:.2f} times that of Lanczos"
    times = plain["processor_seconds"] / ours["processor_seconds"]
    yield f"{ours['processor_seconds']:.1f} seconds of the processor in place of"
    yield f"in place of {plain['processor_seconds']:.1f}, {times:.0f} times less"


def stylization():
    dials = results("stylization_dials")
    correlations = dials["rank_correlation"]
    yield f"mean over the 12 styles: {mean_correlations()}."
    every = [value for style in correlations.values() for value in style.values()]
    assert max(every) <= -0.89
    yield f"the weakest has {number(max(every), 2)}"
    yield f"give pictures {dials['diversity']['coefficients']:.2f} apart"
    yield f"of all dials {dials['diversity']['styles']:.2f}, and a network"
    yield from stylized_pictures()
    yield from strokes()
    short = results("stylization_fixed")["against_fixed"]["styles"]
    long = results("stylization_fixed_1500")["against_fixed"]["styles"]
    for style, settings in results("stylization_seeds")["styles"].items():
        for setting, found in settings.items():
            seeds = [seed["ratio"] for seed in found["seeds"].values()]
            yield (
                f"| {percent(found['mean ratio'])} % "
                f"({percent(min(seeds))} to {percent(max(seeds))}) "
                f"| {percent(short[style]['longer']['totals'][setting]['ratio'])} % "
                f"| {percent(long[style]['totals'][setting]['ratio'])} % |"
            )
    speed = results("stylization_speed")
    for side, seconds in speed["frames"].items():
        torch, *ours = seconds.values()
        cells = [f"{1 / time:.2f} (×{torch / time:.2f})" for time in ours]
        yield row(f"{side}×{side}", f"{1 / torch:.2f}", *cells)
    sizes = [f"{value:.1f} GiB" for value in speed["gigabytes"].values()]
    yield f"4096×4096 takes {sizes[0]} in float32 and {sizes[1]} in bfloat16"


def vae_terms(name):
    """{β: terms} of a released VAE."""
    sweep = results(name)["sweep"]
    betas = [coefficients["kl"] for coefficients in sweep["coefficients"]]
    return dict(zip(betas, sweep["terms"], strict=True))


def vae_shapes():
    settings = results("vae_disentanglement")["settings"]
    at = {setting["kl"]: setting for setting in settings}
    first = settings[0]
    yield f"At β = 0.5 the gap is {first['gap']:.2f}, and {first['latents_in_use']} lat"
    yield f"hold {first['kl_nats']:.1f} nats a picture"
    told = {
        name: [f"{100 * at[beta]['share'][name]:.0f}" for beta in (0.5, 8.0, 16.0)]
        for name in ("shape", "colour")
    }
    [low, middle, high] = told["shape"]
    yield f"tells {low} % of the shape's entropy at β = 0.5, {middle} % at β = 8"
    yield f"and {high} % at β = 16, and {told['colour'][0]}, {told['colour'][1]} and"
    yield f"{told['colour'][2]} % of that of the colour"
    plain, normalized = (
        results(f"vae_disentanglement_{name}")["settings"][0]
        for name in ("plain", "8000")
    )
    yield f"used {plain['latents_in_use']} latents after 12,000 steps"
    yield f"the best told {100 * plain['share']['shape']:.0f} % of the shape"
    yield f"made that {100 * normalized['share']['shape']:.0f} % within 8,000 steps"


def vae_evidence():
    sweep = results("vae_mnist")["sweep"]
    betas = [coefficients["kl"] for coefficients in sweep["coefficients"]]
    at = dict(zip(betas, sweep["metrics"], strict=True))
    units = {beta: found["active_units"] for beta, found in at.items()}
    assert {units[beta] for beta in betas if beta <= 4} == {units[4.0]}
    assert not any(units[beta] for beta in betas if beta >= 64)
    yield f"uses {units[4.0]} of its 32 latents, at β = 8 it uses {units[8.0]}, at β ="
    yield f"at β = 16 it uses {units[16.0]}: latents"
    nats = {beta: f"{found['importance_weighted']:.1f}" for beta, found in at.items()}
    assert min(at, key=lambda beta: at[beta]["importance_weighted"]) == 1.0
    bits = at[1.0]["bits_per_dimension"]
    yield f"it is {nats[1.0]} nats at β = 1, or {bits:.3f} bits a pixel"
    yield f"{nats[0.125]} nats at β = 1/8, {nats[8.0]} at β = 8"


def vae_mends():
    import vae_mends

    report = results("vae_mends_mnist")
    yield vae_mends.table(report)
    yield f"{report['steps']:,} steps of {report['batch_size']} digits"


def vae():
    yield from vae_shapes()
    yield from vae_mends()
    terms = vae_terms("vae_mnist")
    low, high = terms[0.125], terms[16.0]
    yield f"KL falls from {low['kl']:.1f} to {high['kl']:.1f} nats"
    yield f"from {low['reconstruction']:.1f} to {high['reconstruction']:.0f} nats"
    yield f"negative ELBO, is {sum(terms[1.0].values()):.1f} nats"
    yield from vae_evidence()
    terms = vae_terms("vae_cifar10")
    low, high = terms[0.125], terms[512.0]
    yield f"KL goes from {low['kl']:.0f} nats at β = 1/8 to {high['kl']:.1f} at"
    ends = [number(end["reconstruction"], 0) for end in (low, high)]
    yield f"reconstruction from {ends[0]} to {ends[1]} nats"
    yield f"their sum is {number(sum(terms[1.0].values()), 0)} nats"
    widths = results("vae_pareto_mnist")["widths"].values()
    for number_of_beta, beta in enumerate(("1/8", "1", "8", "64", "512")):
        cells = []
        for width in widths:
            both = [width[kind][number_of_beta]["total"] for kind in ("one", "fixed")]
            difference = signed(width["difference_percent"][number_of_beta])
            cells += [*(f"{total:.2f}" for total in both), f"{difference} %"]
        yield row(beta, *cells)
    [width] = results("vae_pareto_cifar10")["widths"].values()
    nats = [f"{difference:.0f}" for difference in width["difference_nats"]]
    yield f"is {nats[0]} nats behind at β = 1/8, {nats[1]} at β = 1, {nats[2]} at β = 8"
    yield f"{nats[3]} at β = 64 and {nats[4]} at β = 512"


def readme():
    yield format_table.table()
    lossless = results("codec_lossless")["mean"]
    order = ("yoto", "JPEG XL", "WebP", "PNG")
    yield ", ".join(f"{lossless[name]['bits_per_pixel']:.2f}" for name in order)
    overhead = results("conditioning_overhead")
    for what, backend in (
        ("training step", "tensorflow"),
        ("training step", "jax"),
        ("encode", "tensorflow"),
    ):
        film = [
            overhead[f"codec/{size} on {backend}"][what]["over keras"]["film"]
            for size in ("small", "large")
        ]
        yield " and ".join(f"{100 * ratio:.0f} %" for ratio in film)
    step = results("input_pipeline")["training_step"]
    ratio = step["real"] / step["repeated"]
    yield f"= 100 % | {100 * ratio:.0f} % | `input_pipeline.py`"
    large = results("codec_memory")["pictures"][2]
    yield f"at the most | {large['compress']['gigabytes']:.1f} GiB | `codec_memory.py`"
    yield f"| {mean_correlations()} | `stylization_dials.py`"
    frames = results("web_speed")["frames_per_second"]
    size = results("web_speed")["bytes"]["all"] / 1e6
    yield f"{frames['256 × 256']:.1f} frames a second, page and network {size:.1f} MB"
    codec = results("web_codec_speed")["codec"]["768 × 512"]
    yield f"in {codec['encode_seconds']} s, shown in {codec['decode_seconds']} s |"
    seconds = results("stylization_speed")["frames"]
    fast = seconds["512"]["mixed_bfloat16"]
    times = seconds["512"]["pytorch"] / fast
    yield f"{1 / fast:.1f} frames a second at 512×512"
    yield f"{times:.1f} times plain PyTorch in float32"
    settings = results("vae_disentanglement")["settings"]
    gaps = [f"{settings[end]['gap']:.2f}" for end in (0, -1)]
    yield f"information gap {gaps[0]} at β = 0.5, {gaps[1]} at β = 32"
    seconds = [
        notebook["processor_seconds"]
        for machine in results("notebooks").values()
        for notebook in machine["notebooks"].values()
    ]
    yield f"notebooks take {min(seconds)} to {max(seconds)} seconds of processors each"
    yield from readme_codec()


def readme_codec():
    rates = format_table.published("codec", "psnr")
    [jpeg, webp, hyperprior] = (
        f"{signed(rates[name])} %"
        for name in ("JPEG 4:2:0", "WebP", "Ballé 2018 hyperprior (opt. MSE)")
    )
    yield f"BD-rate: {jpeg} against JPEG 4:2:0, {hyperprior} against Ballé et al."
    yield f"against JPEG 4:2:0 | {jpeg} | `kodak.py`"
    yield f"against WebP | {webp} |"
    yield f"a network for every λ | {hyperprior} |"
    small = signed(format_table.published("codec-small", "psnr")["JPEG 4:2:0"])
    yield f"BD-rate: {small} % against JPEG 4:2:0 |"
    widths = results("codec_one_or_many")["widths"].values()
    [half, same, wide] = (signed(width["one"]["bd_rate_percent"]) for width in widths)
    yield f"{half} % at half its width, {same} %, {wide} % at 1.5 times"
    rates = results("integer_path_codec-v1")["bd_rate_percent"]
    rate = signed(rates["integer tables against float tables"], 2)
    yield f"cost in BD-rate | {rate} % | `integer_path.py`"
    tuned = results("codec_fine_tuning")
    [pages, kodak] = (tuned[key]["bd_rate_percent"] for key in ("held_out", "kodak"))
    yield f"{signed(pages)} % and {signed(kodak, 0)} % | `codec_fine_tuning.py`"


PAGES = {
    "README.md": readme,
    "docs/codec.md": codec,
    "docs/export.md": export,
    "docs/litert.md": litert,
    "docs/many-pictures.md": many_pictures,
    "docs/onnx.md": onnx,
    "docs/serving.md": serving,
    "docs/stylization.md": stylization,
    "docs/train-your-own.md": train_your_own,
    "docs/vae.md": vae,
    "docs/web.md": web,
}
