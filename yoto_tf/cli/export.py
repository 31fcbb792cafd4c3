"""`yoto export`"""

from yoto_tf.cli.output import say
from yoto_tf.cli.parser import add_model
from yoto_tf.cli.startup import import_keras


def add(subparsers):
    """Adds the subcommand."""
    parser = subparsers.add_parser(
        "export",
        help="a model for servers, Hubs and devices",
        description="Writes a model for use without this library, with its "
        "coefficients as an input.",
    )
    add_model(parser)
    parser.add_argument(
        "directory",
        metavar="DIR",
        help="the folder to write; with --target huggingface also hf://OWNER/NAME",
    )
    parser.add_argument(
        "--target",
        default="saved-model",
        metavar="T",
        help="saved-model (default), hub, serving, tpu, litert, onnx, web or "
        "huggingface",
    )
    parser.add_argument(
        "--name",
        metavar="NAME",
        help="what a Hub or server is to call it (default: the name of its family)",
    )
    parser.add_argument(
        "--version",
        type=int,
        metavar="N",
        help="of the model on a Hub or server (default: 1)",
    )
    for name in ("batch", "height", "width"):
        parser.add_argument(
            f"--{name}",
            type=int,
            metavar="N",
            help=f"{name} of a TPU's or device's input (default: the target's own)",
        )
    parser.set_defaults(run=run)


def run(options):
    """Exports, and says where."""
    import_keras(pictures=False)
    from yoto_tf.export import export

    names = ("name", "version", "batch", "height", "width")
    given = {name: getattr(options, name) for name in names}
    given = {name: value for name, value in given.items() if value is not None}
    written = export(options.model, options.directory, options.target, **given)
    say(written or options.directory)
    return 0
