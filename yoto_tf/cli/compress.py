"""`yoto compress`"""

import dataclasses

from yoto_tf.cli.coefficients import check_names, coefficients
from yoto_tf.cli.output import print_failures, print_json, report_stream, say
from yoto_tf.cli.parser import add_model, add_no_clobber
from yoto_tf.cli.startup import import_keras


def add(subparsers):
    """Adds the subcommand."""
    parser = subparsers.add_parser(
        "compress",
        help="pictures to .yoto files",
        description="Compresses a picture, or all pictures of a folder or glob. "
        "Transparency is composited on white. The "
        "trade-off is set by one of the options from --quality to --lossless.",
    )
    parser.add_argument("source", metavar="IN", help="a picture, a folder or a glob")
    parser.add_argument(
        "target", metavar="OUT", help="the .yoto file; a folder where IN is many files"
    )
    add_model(parser, "--model", "codec")
    dial = parser.add_mutually_exclusive_group()
    dial.add_argument(
        "--quality",
        type=float,
        metavar="Q",
        help="0 (smallest) to 1 (best), a place on the coefficient's logarithmic range",
    )
    dial.add_argument(
        "--coefficients",
        type=coefficients,
        default={},
        metavar="NAME=VALUE",
        help="such as distortion=0.02",
    )
    dial.add_argument(
        "--target-bpp", type=float, metavar="B", help="bits per pixel, within 1 %%"
    )
    dial.add_argument(
        "--target-psnr", type=float, metavar="P", help="PSNR in dB, within 0.05 dB"
    )
    dial.add_argument(
        "--target-size", type=int, metavar="BYTES", help="within 1 %%, never exceeded"
    )
    dial.add_argument(
        "--lossless",
        action="store_true",
        help="decodes to the very same pixels; needs no model",
    )
    parser.add_argument(
        "--effort",
        type=int,
        default=0,
        metavar="0-9",
        help="time to spend on a better picture in as many bytes (default: 0, none); "
        "decoding takes no longer",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_no_clobber(parser)
    parser.set_defaults(run=run)


def run(options):
    """Compresses; the status is 1 if one of many files failed."""
    from yoto_tf.zoo.codec.files import compress_files

    if not options.lossless:
        import_keras()
        from yoto_tf.zoo.codec.codec import Codec

        check_names(options.coefficients, compress_files, Codec.compress)
    report = compress_files(
        options.source,
        options.target,
        options.model,
        quality=options.quality,
        target_bpp=options.target_bpp,
        target_psnr=options.target_psnr,
        target_size=options.target_size,
        lossless=options.lossless,
        effort=options.effort,
        clobber=not options.no_clobber,
        **options.coefficients,
    )
    if options.json:
        print_json(dataclasses.asdict(report))
    else:
        for file in report.files:
            say(
                f"{file['output']}: {file['bytes']:,} bytes, "
                f"{file['bits_per_pixel']:.3f} bits per pixel",
                report_stream(options.target),
            )
    return print_failures(report)
