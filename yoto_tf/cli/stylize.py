"""`yoto stylize`"""

from pathlib import PurePath

from yoto_tf.cli.coefficients import check_names, coefficients
from yoto_tf.cli.engine import add_engine, is_chosen, run_task
from yoto_tf.cli.files import add_files, read_files
from yoto_tf.cli.output import (
    is_left,
    print_conversion,
    print_json,
    report,
    report_stream,
)
from yoto_tf.cli.parser import (
    add_model,
    add_no_clobber,
    add_threads,
    add_volume,
    seed,
)
from yoto_tf.cli.startup import import_keras
from yoto_tf.errors import YotoError


def add(subparsers):
    """Adds the subcommand."""
    parser = subparsers.add_parser(
        "stylize",
        help="pictures in the style of paintings",
        description="Stylises pictures and animations. The suffix of a picture to "
        "write names its format; on standard output it is PNG.",
    )
    add_files(parser, "a picture", "the picture")
    parser.add_argument(
        "--style",
        metavar="NAME",
        help="a style, or a mixture such as a=0.7,b=0.3; the file of a painting in "
        "place of a name is a style at first sight (default: none, must be given "
        "without --random)",
    )
    add_model(parser, "--model", "stylization")
    parser.add_argument(
        "--coefficients",
        type=coefficients,
        default={},
        metavar="NAME=VALUE,…",
        help="such as content=1,style_1=0.2 (default: the middle of their ranges)",
    )
    parser.add_argument(
        "--strength",
        type=float,
        metavar="S",
        help="one dial for all coefficients: 0 is the photograph, 1 the middle of "
        "their ranges, 2 the ends (default: 1)",
    )
    parser.add_argument(
        "--stroke",
        default="auto",
        metavar="X",
        help="how many times as large strokes are as the network paints them; auto is "
        "1 up to a shorter side of 768 pixels and grows with it from there (default: "
        "auto)",
    )
    parser.add_argument(
        "--mask",
        metavar="FILE",
        help="a picture of the same size, white where the style is (default: none, it "
        "is everywhere)",
    )
    parser.add_argument(
        "--outside",
        metavar="NAME",
        help="a style outside of the mask (default: none, the photograph stays)",
    )
    parser.add_argument(
        "--preserve-color", action="store_true", help="keep the photograph's colours"
    )
    parser.add_argument(
        "--random",
        type=int,
        metavar="N",
        help="draw N settings and write one sheet of what they make of one picture "
        "(default: none, --style is used)",
    )
    parser.add_argument(
        "--seed",
        type=seed,
        metavar="S",
        help="with --random: the same settings again (default: others each time)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_no_clobber(parser)
    add_threads(parser)
    add_volume(parser, "say all coefficients and the stroke too")
    add_engine(parser)
    parser.set_defaults(run=run)


def run(options):
    """Stylises; the status is 1 if one of many files failed."""
    if options.style is None and options.random is None:
        raise YotoError("expected --style NAME, or --random N; yoto list --styles")
    if is_chosen(options):
        return _run_on_engine(options)
    sources, target = read_files(options)
    if options.random is not None:
        return _write_sheet(options, sources, target)
    _import_stylizer(options)
    from yoto_tf.zoo.stylization.files import stylize_files

    report = stylize_files(
        sources,
        target,
        options.style,
        options.model,
        options.preserve_color,
        strength=options.strength,
        mask=options.mask,
        outside=options.outside,
        stroke=options.stroke,
        clobber=not options.no_clobber,
        **options.coefficients,
    )
    describe = _described_at_length if options.verbose else _described
    return print_conversion(options, report, target, describe)


def _run_on_engine(options):
    from yoto_tf.bulk import stylization

    for name in ("random", "mask", "outside"):
        if getattr(options, name) is not None:
            raise YotoError(f"--{name} is for one picture, expected no --engine")
    check_names(options.coefficients, stylization)
    task = stylization(
        options.style,
        options.model,
        options.preserve_color,
        strength=options.strength,
        stroke=options.stroke,
        **options.coefficients,
    )
    return run_task(options, task)


def _write_sheet(options, sources, target):
    for name in ("strength", "mask", "outside"):
        if getattr(options, name) is not None:
            raise YotoError(f"--random draws settings, expected no --{name}")
    if len(sources) > 1:
        raise YotoError(f"--random takes one picture, got {len(sources)}")
    if is_left(options, target):
        return 0
    _import_stylizer(options)
    from yoto_tf.zoo.stylization.files import write_contact_sheet

    settings = write_contact_sheet(
        sources[0],
        target,
        options.random,
        options.style,
        options.model,
        options.preserve_color,
        seed=options.seed,
        stroke=options.stroke,
        **options.coefficients,
    )
    if options.json:
        print_json(settings, report_stream(target))
    else:
        report(options, f"{len(settings)} settings", target)
    return 0


def _import_stylizer(options):
    import_keras(options.threads)
    from yoto_tf.zoo.stylization import Stylizer
    from yoto_tf.zoo.stylization.file_conversion import FileStylizer
    from yoto_tf.zoo.stylization.files import write_contact_sheet

    taken = (write_contact_sheet, Stylizer.stylize, FileStylizer)
    check_names(options.coefficients, *taken)


def _described(file):
    # Only a painting's file has a suffix.
    is_guessed = any(PurePath(name).suffix for name in file["style"])
    return _mixture(file["style"]) + (" at first sight" if is_guessed else "")


def _described_at_length(file):
    values = (f"{name} {value:g}" for name, value in file["coefficients"].items())
    return ", ".join([_described(file), *values, f"stroke {file['stroke']}"])


def _mixture(style):
    """A style, {name: weight}, as `--style` takes it."""
    if len(style) == 1:
        return next(iter(style))
    return ",".join(f"{name}={weight:g}" for name, weight in style.items())
