"""`yoto stylize`"""

import dataclasses

from yoto_tf.cli.coefficients import check_names, coefficients
from yoto_tf.cli.output import is_left, print_failures, print_json
from yoto_tf.cli.parser import add_model, add_no_clobber
from yoto_tf.cli.startup import import_keras
from yoto_tf.errors import YotoError


def add(subparsers):
    """Adds the subcommand."""
    parser = subparsers.add_parser(
        "stylize",
        help="pictures in the style of paintings",
        description="Stylises a picture or animation, or all pictures of a folder or "
        "glob. Coefficients that are not named take the middle of their range.",
    )
    parser.add_argument("source", metavar="IN", help="a picture, a folder or a glob")
    parser.add_argument(
        "target", metavar="OUT", help="the picture; a folder where IN is many files"
    )
    parser.add_argument(
        "--style", metavar="NAME", help="a style, or a mixture such as a=0.7,b=0.3"
    )
    add_model(parser, "--model", "stylization")
    parser.add_argument(
        "--coefficients",
        type=coefficients,
        default={},
        metavar="NAME=VALUE,…",
        help="such as content=1,style_1=0.2",
    )
    parser.add_argument(
        "--preserve-color", action="store_true", help="keep the photograph's colours"
    )
    parser.add_argument(
        "--random",
        type=int,
        metavar="N",
        help="draw N settings and write one sheet of what they make of the picture",
    )
    parser.add_argument(
        "--seed", type=int, metavar="S", help="with --random: the same settings again"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_no_clobber(parser)
    parser.set_defaults(run=run)


def run(options):
    """Stylises; the status is 1 if one of many files failed."""
    import_keras()
    from yoto_tf.zoo.stylization import Stylizer
    from yoto_tf.zoo.stylization.files import stylize_files, write_contact_sheet

    check_names(options.coefficients, write_contact_sheet, Stylizer.stylize)
    if options.random is not None:
        return _write_sheet(options)
    if options.style is None:
        raise YotoError("expected --style NAME, or --random N; yoto list --styles")
    report = stylize_files(
        options.source,
        options.target,
        options.style,
        options.model,
        options.preserve_color,
        clobber=not options.no_clobber,
        **options.coefficients,
    )
    if options.json:
        print_json(dataclasses.asdict(report))
    return print_failures(report)


def _write_sheet(options):
    from yoto_tf.zoo.stylization.files import write_contact_sheet

    if is_left(options, options.target):
        return 0
    settings = write_contact_sheet(
        options.source,
        options.target,
        options.random,
        options.style,
        options.model,
        options.preserve_color,
        seed=options.seed,
        **options.coefficients,
    )
    if options.json:
        print_json(settings)
    return 0
