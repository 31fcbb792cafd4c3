"""`yoto compress`"""

from yoto_tf.cli.coefficients import check_names, coefficients
from yoto_tf.cli.engine import add_engine, is_chosen, run_task
from yoto_tf.cli.files import add_files, read_files
from yoto_tf.cli.output import print_conversion
from yoto_tf.cli.parser import add_model, add_no_clobber, add_threads, add_volume
from yoto_tf.cli.sizes import size
from yoto_tf.cli.startup import import_keras


def add(subparsers):
    """Adds the subcommand."""
    parser = subparsers.add_parser(
        "compress",
        help="pictures to .yoto files",
        description="Compresses pictures. The trade-off is set by one of the options "
        "from --quality to --lossless. Transparency is kept, without loss.",
    )
    add_files(parser, "a picture", "the .yoto file")
    add_model(parser, "--model", "codec")
    dial = parser.add_mutually_exclusive_group()
    dial.add_argument(
        "-q",
        "--quality",
        type=float,
        metavar="Q",
        help="0 (smallest) to 1 (best), a place on the coefficient's logarithmic range "
        "(default: 0.5)",
    )
    dial.add_argument(
        "--coefficients",
        type=coefficients,
        default={},
        metavar="NAME=VALUE",
        help="such as distortion=0.02 (default: the middle of the range)",
    )
    dial.add_argument(
        "--target-bpp",
        type=float,
        metavar="B",
        help="bits per pixel, within 1 %% (default: no target)",
    )
    dial.add_argument(
        "--target-psnr",
        type=float,
        metavar="P",
        help="PSNR in dB, within 0.05 dB (default: no target)",
    )
    dial.add_argument(
        "--target-size",
        type=size,
        metavar="BYTES",
        help="such as 30000, 30k or 30KiB; within 1 %%, never exceeded (default: no "
        "target)",
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
    parser.add_argument(
        "--metadata",
        choices=("none", "icc", "all"),
        default="none",
        help="what to keep besides the pixels: none, which are then sRGB; the ICC "
        "profile, in whose colour space they are left; or all, that, EXIF and XMP "
        "(default: none)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_no_clobber(parser)
    add_threads(parser)
    add_volume(parser, "say the coefficients and the PSNR too, which decodes each file")
    add_engine(parser)
    parser.set_defaults(run=run)


def run(options):
    """Compresses; the status is 1 if one of many files failed."""
    if is_chosen(options):
        from yoto_tf.bulk import compression

        check_names(options.coefficients, compression)
        return run_task(options, compression(options.model, **_how(options)))
    sources, target = read_files(options)
    from yoto_tf.zoo.codec.files import compress_files

    if not options.lossless:
        import_keras(options.threads)
        from yoto_tf.zoo.codec.codec import Codec
        from yoto_tf.zoo.codec.file_conversion import FileCompressor

        taken = (compress_files, Codec.compress, FileCompressor)
        check_names(options.coefficients, *taken)
    report = compress_files(
        sources,
        target,
        options.model,
        clobber=not options.no_clobber,
        **_how(options),
    )
    return print_conversion(options, report, target, _described)


def _how(options):
    return {
        "quality": options.quality,
        "target_bpp": options.target_bpp,
        "target_psnr": options.target_psnr,
        "target_size": options.target_size,
        "lossless": options.lossless,
        "effort": options.effort,
        "measure": options.verbose,
        "metadata": options.metadata,
        **options.coefficients,
    }


def _described(file):
    text = f"{file['bytes']:,} bytes, {file['bits_per_pixel']:.3f} bits per pixel"
    for name, value in file["coefficients"].items() if "psnr" in file else ():
        text += f", {name} {value:g}"
    if "psnr" in file:
        exact = file["psnr"] is None
        text += ", the very same pixels" if exact else f", PSNR {file['psnr']:.2f} dB"
    return text
