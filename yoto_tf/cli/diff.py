"""`yoto diff`"""

import dataclasses
import sys

from yoto_tf.cli.files import read_sources
from yoto_tf.cli.output import is_left, print_json, print_table, report
from yoto_tf.cli.parser import add_model, add_no_clobber, add_threads, add_volume
from yoto_tf.cli.startup import import_keras


def add(subparsers):
    """Adds the subcommand."""
    parser = subparsers.add_parser(
        "diff",
        help="how much two pictures differ",
        description="Compares two pictures of one size, each a picture or a .yoto "
        "file: PSNR, MS-SSIM (from 161 × 161 pixels on) and bytes.",
    )
    for name, metavar in (("first", "A"), ("second", "B")):
        parser.add_argument(
            name,
            metavar=metavar,
            help="a picture or a .yoto file, or - for standard input",
        )
    parser.add_argument(
        "-o",
        "--output",
        metavar="OUT.png",
        help="write a picture of the differences too (default: none)",
    )
    add_model(
        parser,
        "--model",
        note=" (default: the pretrained model that a .yoto file names)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_no_clobber(parser)
    add_threads(parser)
    add_volume(parser)
    parser.set_defaults(run=run)


def run(options):
    """Compares, and prints the measures."""
    from yoto_tf.zoo.codec.difference import difference, is_compressed
    from yoto_tf.zoo.codec.files import needs_model

    first, second = read_sources([options.first, options.second])
    output = options.output
    if output and is_left(options, output):
        output = None
    compressed = list(filter(is_compressed, (first, second)))
    if compressed and needs_model(compressed):
        import_keras(options.threads)
    found = difference(first, second, output, options.model)
    if options.json:
        print_json(dataclasses.asdict(found))
    else:
        print_table([("file", "bytes", "bits/pixel"), *_rows(found)])
        print_table([("PSNR (dB)", "MS-SSIM", "greatest difference"), _measures(found)])
    if found.output:
        report(options, f"the differences × {found.gain}", found.output, sys.stderr)
    return 0


def _rows(found):
    for name, size, rate in zip(
        found.files, found.bytes, found.bits_per_pixel, strict=True
    ):
        yield name, f"{size:,}", f"{rate:.3f}"


def _measures(found):
    return (
        "equal" if found.psnr is None else f"{found.psnr:.2f}",
        "too small" if found.ms_ssim is None else f"{found.ms_ssim:.4f}",
        f"{found.greatest} of 255",
    )
