"""`yoto sample`"""

from yoto_tf.cli.coefficients import check_names
from yoto_tf.cli.grids import add_options, print_report
from yoto_tf.cli.output import is_left
from yoto_tf.cli.parser import seed
from yoto_tf.cli.startup import import_keras


def add(subparsers):
    """Adds the subcommand."""
    parser = subparsers.add_parser(
        "sample",
        help="pictures drawn from a VAE",
        description="Draws pictures into one file: a square of them at one β, or "
        "without --coefficients a row for each of several β with the same latents.",
    )
    add_options(parser, "vae-shapes", number=None)
    parser.add_argument(
        "--seed", type=seed, default=0, metavar="S", help="of the latents"
    )
    parser.set_defaults(run=run)


def run(options):
    """Draws the pictures."""
    if is_left(options, options.target):
        return 0
    import_keras(options.threads)
    from yoto_tf.zoo.vae import VAE
    from yoto_tf.zoo.vae.files import write_samples

    check_names(options.coefficients, VAE.sample, VAE.decode)
    report = write_samples(
        options.target,
        options.model,
        options.coefficients,
        options.number,
        options.rows,
        options.seed,
        options.traverse,
        options.animate,
    )
    print_report(options, report)
    return 0
