"""What the guide of the codec quotes of `benchmarks/results`."""

from spelled import results, row, signed


def codec():
    yield from codec_qualities()
    yield from codec_effort()
    yield from codec_coding()
    yield from codec_speed()
    yield from codec_trainings()


def codec_qualities():
    for tenth, point in enumerate(results("kodak_codec")["mean"]):
        yield row(
            f"{tenth / 10:g}",
            f"{point['distortion']:.2g}",
            f"{point['bits_per_pixel']:.2f}",
            f"{point['psnr']:.1f}",
            f"{point['ms_ssim']:.4f}",
        )


def codec_effort():
    for found in results("codec_effort_codec")["rows"]:
        yield row(
            str(found["effort"]),
            str(found["steps"]),
            f"{found['quality']:g}",
            f"{signed(found['rate_percent'])} %",
            f"{found['seconds']:.0f}",
        )


def codec_coding():
    names = {
        "PNG": "PNG, optimised",
        "WebP": "WebP lossless",
        "yoto": "`yoto compress --lossless`",
        "JPEG XL": "JPEG XL",
    }
    for name, found in results("codec_lossless")["mean"].items():
        yield row(names[name], *(f"{value:.2f}" for value in found.values()))
    rates = results("integer_path_codec-v1")["bd_rate_percent"]
    for text, key in (
        ("tables chosen by floating point", "integer tables against float tables"),
        ("bytes, against continuous scales in floating point", "coded against ideal"),
        ("file, against continuous scales in floating point", "file against ideal"),
    ):
        yield f"{text} | {signed(rates[key], 2)} % |"


def codec_speed():
    names = {
        "bmshj2018-hyperprior": "on PyTorch, 128 and 192 filters",
        "mbt2018-mean": "its `mbt2018-mean`",
        "same filters, float32": "ours with the same filters, float32",
        "same filters, mixed_bfloat16": "ours with the same filters, bfloat16",
        "codec, float32": "the released `codec`, float32",
        "codec, mixed_bfloat16": "the released `codec`, bfloat16",
        "WebP": "Pillow's WebP at the same PSNR",
    }
    seconds = results("codec_speed")["seconds"]
    first = seconds["bmshj2018-hyperprior"]
    for name, text in names.items():
        times = {key: seconds[name][key] for key in ("encode", "decode")}
        cells = [f"{1000 * time:.0f}" for time in times.values()]
        if name not in ("bmshj2018-hyperprior", "WebP"):
            factors = [first[key] / time for key, time in times.items()]
            cells = [
                f"{cell} (×{factor:.1f})"
                for cell, factor in zip(cells, factors, strict=True)
            ]
        yield f"{text} | {' | '.join(cells)} |"
    own = seconds["same filters, float32"]
    shares = [100 * own[f"network {key}"] / own[key] for key in ("encode", "decode")]
    yield f"take {shares[0]:.0f} % of the float32 encode with the same filters, and "
    yield f"{shares[1]:.0f} % of the decode"
    yield f"{own['bytes'] / 1000:.0f} kB with ours and {first['bytes'] / 1000:.0f} kB"


def codec_trainings():
    ablations = results("codec_ablations")
    for name, found in ablations["variants"].items():
        if name != "recipe":
            yield f"| {signed(found['bd_rate_percent'])} % |"
    yield f"The recipe takes {ablations['steps']:,} steps here"
    for width, found in results("codec_one_or_many")["widths"].items():
        many = found["many"]["parameters"]
        yield (
            f"| {float(width):g} | {signed(found['one']['bd_rate_percent'])} % "
            f"| {signed(found['gains_only']['bd_rate_percent'])} % "
            f"| {found['one']['parameters'] / 1e6:.1f} and "
            f"{sum(many) / 1e6:.1f} million |"
        )
    text = results("codec_fine_tuning")
    saved = [-rate for rate in text["held_out"]["pictures"].values()]
    yield f"save {-text['held_out']['bd_rate_percent']:.1f} % of the bytes of the 24"
    yield f"from {min(saved):.1f} to {max(saved):.1f} %"
    yield f"take {text['kodak']['bd_rate_percent']:.0f} % more"
    paintings = results("codec_fine_tuning_paintings")["held_out"]
    rates = paintings["pictures"].values()
    fewer = sum(rate < 0 for rate in rates)
    yield f"save {-paintings['bd_rate_percent']:.1f} %, with fewer bytes for {fewer} of"
