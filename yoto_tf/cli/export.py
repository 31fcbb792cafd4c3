"""`yoto export`"""


def add(subparsers):
    """Adds the subcommand."""
    parser = subparsers.add_parser(
        "export",
        help="a model for servers, Hubs and devices",
        description="Writes a model for use without this library, with its "
        "coefficients as an input.",
    )
    parser.add_argument("model", metavar="MODEL", help="a pretrained name or a folder")
    parser.add_argument("directory", metavar="DIR", help="the folder to write")
    parser.add_argument(
        "--target",
        default="saved-model",
        metavar="T",
        help="saved-model (default), hub or serving",
    )
    parser.add_argument(
        "--name", metavar="NAME", help="what a Hub or server is to call it"
    )
    parser.add_argument(
        "--version", type=int, metavar="N", help="of the model on a Hub or server"
    )
    parser.set_defaults(run=run)


def run(options):
    """Exports, and says where."""
    from yoto_tf.export import export

    given = {"name": options.name, "version": options.version}
    given = {name: value for name, value in given.items() if value is not None}
    written = export(options.model, options.directory, options.target, **given)
    print(written or options.directory)
    return 0
