"""What the commands that write a grid of pictures over β have in common."""

from yoto_tf.cli.coefficients import coefficients
from yoto_tf.cli.output import print_json, report_stream, say
from yoto_tf.cli.parser import add_model, add_no_clobber, add_threads, add_volume


def add_options(parser, model, number):
    """Adds the options of a grid.

    Args:
        parser: of a subcommand.
        model: the default of `--model`.
        number: the default of `--number`.
    """
    parser.add_argument("target", metavar="OUT.png", help="the picture file to write")
    add_model(parser, "--model", model)
    parser.add_argument(
        "--coefficients",
        type=coefficients,
        default={},
        metavar="NAME=VALUE",
        help="such as kl=4 (default: several β)",
    )
    parser.add_argument(
        "--rows", type=int, default=7, metavar="R", help="how many β without one given"
    )
    note = "" if number else " (default: 64, or 12 at each of several β)"
    parser.add_argument(
        "--number",
        type=int,
        default=number,
        metavar="N",
        help=f"pictures at each β{note}, or on a way through the latents",
    )
    parser.add_argument(
        "--traverse",
        type=int,
        default=0,
        metavar="L",
        help="go through the L latents that carry most, a row for each at each β",
    )
    parser.add_argument(
        "--animate",
        action="store_true",
        help="write a .gif or .webp of one β, or one place on the way, after the other",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_no_clobber(parser)
    add_threads(parser)
    add_volume(parser)


def print_report(options, report):
    """Says what was written, for people or as JSON."""
    if options.json:
        print_json(report.to_dict(), report_stream(report.output))
    elif not options.quiet:
        settings = len(report.settings)
        say(
            f"{report.output}: {report.pictures} pictures at {settings} β",
            report_stream(report.output),
        )
