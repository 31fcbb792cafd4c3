"""What the commands that write a grid of pictures over β have in common."""

from yoto_tf.cli.coefficients import coefficients
from yoto_tf.cli.output import print_json, report_stream, say
from yoto_tf.cli.parser import add_model, add_no_clobber


def add_options(parser, number):
    """Adds the options of a grid; `number` is the default of `--number`."""
    parser.add_argument("target", metavar="OUT.png", help="the picture file to write")
    add_model(parser, "--model", "vae-cifar10")
    parser.add_argument(
        "--coefficients",
        type=coefficients,
        default={},
        metavar="NAME=VALUE",
        help="such as kl=4; without it, several β",
    )
    parser.add_argument(
        "--rows", type=int, default=7, metavar="R", help="how many β without one given"
    )
    parser.add_argument(
        "--number", type=int, default=number, metavar="N", help="pictures at each β"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_no_clobber(parser)


def print_report(report, as_json):
    """Says what was written, for people or as JSON."""
    if as_json:
        print_json(report.to_dict())
    else:
        settings = len(report.settings)
        say(
            f"{report.output}: {report.pictures} pictures at {settings} β",
            report_stream(report.output),
        )
