"""`yoto decompress`"""

from yoto_tf.cli.output import print_failures
from yoto_tf.cli.parser import add_model, add_no_clobber
from yoto_tf.cli.startup import import_keras


def add(subparsers):
    """Adds the subcommand."""
    parser = subparsers.add_parser("decompress", help=".yoto files to pictures")
    parser.add_argument("source", metavar="IN", help="a .yoto file, a folder or a glob")
    parser.add_argument(
        "target",
        metavar="OUT",
        help="the picture, such as out.png; a folder where IN is many files",
    )
    add_model(
        parser, "--model", note="; by default the pretrained model that the file names"
    )
    add_no_clobber(parser)
    parser.set_defaults(run=run)


def run(options):
    """Decodes; the status is 1 if one of many files failed."""
    from yoto_tf.zoo.codec.files import decompress_files, needs_model

    if needs_model(options.source):
        import_keras()
    report = decompress_files(
        options.source, options.target, options.model, clobber=not options.no_clobber
    )
    return print_failures(report)
