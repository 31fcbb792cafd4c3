"""`yoto reconstruct`"""

from yoto_tf.cli.coefficients import coefficients
from yoto_tf.cli.output import print_json


def add(subparsers):
    """Adds the subcommand."""
    parser = subparsers.add_parser(
        "reconstruct",
        help="pictures through a VAE and back",
        description="Encodes and decodes pictures into one file: a row of originals, "
        "and below it a row for each β.",
    )
    parser.add_argument(
        "source", metavar="IN", help="a picture, a folder, a glob or tfds:NAME[:SPLIT]"
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
        help="such as kl=4; without it, several β",
    )
    parser.add_argument(
        "--rows", type=int, default=7, metavar="R", help="how many β without one given"
    )
    parser.add_argument(
        "--number", type=int, default=12, metavar="N", help="pictures at most"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(options):
    """Reconstructs the pictures."""
    from yoto_tf.zoo.vae.files import write_reconstructions

    report = write_reconstructions(
        options.source,
        options.target,
        options.model,
        options.coefficients,
        options.number,
        options.rows,
    )
    if options.json:
        print_json(report.to_json())
    else:
        print(
            f"{report.output}: {report.pictures} pictures at {len(report.settings)} β"
        )
    return 0
