"""`yoto reconstruct`"""

from yoto_tf.cli.coefficients import check_names
from yoto_tf.cli.grids import add_options, print_report
from yoto_tf.cli.output import is_left
from yoto_tf.cli.startup import import_keras


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
    add_options(parser, "vae-cifar10", number=12)
    parser.add_argument(
        "--interpolate",
        action="store_true",
        help="go from the first picture to the second, a row for each β",
    )
    parser.set_defaults(run=run)


def run(options):
    """Reconstructs the pictures."""
    if is_left(options, options.target):
        return 0
    import_keras(options.threads)
    from yoto_tf.zoo.vae import VAE
    from yoto_tf.zoo.vae.files import write_reconstructions

    check_names(options.coefficients, VAE.reconstruct, VAE.decode)
    report = write_reconstructions(
        options.source,
        options.target,
        options.model,
        options.coefficients,
        options.number,
        options.rows,
        options.interpolate,
        options.traverse,
        options.animate,
    )
    print_report(options, report)
    return 0
