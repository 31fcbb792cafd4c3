"""`yoto sample`"""

from yoto_tf.cli.coefficients import coefficients
from yoto_tf.cli.output import print_json


def add(subparsers):
    """Adds the subcommand."""
    parser = subparsers.add_parser(
        "sample",
        help="pictures drawn from a VAE",
        description="Draws pictures into one file: a square of them at one β, or "
        "without --coefficients a row for each of several β with the same latents.",
    )
    parser.add_argument("target", metavar="OUT.png", help="the picture file to write")
    parser.add_argument(
        "--model",
        default="vae-cifar10",
        metavar="M",
        help="a pretrained name or folder",
    )
    parser.add_argument(
        "--coefficients",
        type=coefficients,
        metavar="NAME=VALUE",
        help="such as kl=4",
    )
    parser.add_argument(
        "--rows", type=int, default=7, metavar="R", help="how many β without one given"
    )
    parser.add_argument("--number", type=int, metavar="N", help="pictures at each β")
    parser.add_argument("--seed", type=int, default=0, metavar="S")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(options):
    """Draws the pictures."""
    from yoto_tf.zoo.vae.files import write_samples

    report = write_samples(
        options.target,
        options.model,
        options.coefficients,
        options.number,
        options.rows,
        options.seed,
    )
    if options.json:
        print_json(report.to_json())
    else:
        print(
            f"{report.output}: {report.pictures} pictures at {len(report.settings)} β"
        )
    return 0
