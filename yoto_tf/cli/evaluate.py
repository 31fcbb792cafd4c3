"""`yoto evaluate`"""

import argparse
import json
import sys
from pathlib import Path

from yoto_tf.cli.engine import add_engine, is_chosen, say_failures
from yoto_tf.cli.output import is_left, print_json, print_table, report
from yoto_tf.cli.parser import add_model, add_no_clobber, add_threads, add_volume
from yoto_tf.cli.startup import import_keras
from yoto_tf.errors import DataError

_PLOTS = (".pdf", ".png", ".svg")


def add(subparsers):
    """Adds the subcommand."""
    parser = subparsers.add_parser(
        "evaluate", help="what a model reaches on a set of pictures"
    )
    add_model(parser)
    parser.add_argument(
        "--data",
        required=True,
        metavar="SPEC",
        help="a folder, a glob or tfds:NAME[:SPLIT]",
    )
    parser.add_argument(
        "--json",
        nargs="?",
        const="-",
        metavar="OUT",
        help="write every picture's numbers to a file, or print them (default: print "
        "a table of the means)",
    )
    parser.add_argument(
        "--plot",
        type=_plot,
        metavar="OUT.png",
        help="draw the curves (default: none are drawn)",
    )
    add_no_clobber(parser)
    add_threads(parser)
    add_volume(parser)
    add_engine(parser, packs=False)
    parser.add_argument(
        "--manifest",
        metavar="FOLDER",
        help="with --engine ray: where to keep every picture's numbers, for runs to "
        "carry on (default: none, must be given with it)",
    )
    parser.set_defaults(run=run)


def run(options):
    """Evaluates, prints the means, and writes what was asked for.

    The status is 1 if one of many pictures failed, which only an engine lets be.
    """
    _check_outputs(options)
    if is_chosen(options):
        from yoto_tf.bulk import evaluate_on_ray

        if options.manifest is None:
            raise DataError("--engine ray needs --manifest FOLDER")
        evaluation, done = evaluate_on_ray(
            options.model,
            options.data,
            options.manifest,
            workers=options.workers,
            threads=options.threads or 1,
        )
        status = say_failures(done)
        if evaluation.images:
            _show(options, evaluation)
        return status
    from yoto_tf import zoo

    import_keras(options.threads)
    _show(options, zoo.evaluate(options.model, options.data))
    return 0


def _show(options, evaluation):
    from yoto_tf.machine.atomic_files import write_atomically

    if options.plot and not is_left(options, options.plot):
        evaluation.plot(options.plot)
        report(options, "the curves", options.plot, sys.stderr)
    if options.json == "-":
        print_json(evaluation.to_dict())
        return
    if options.json and not is_left(options, options.json):
        content = json.dumps(evaluation.to_dict(), indent=2, allow_nan=False) + "\n"
        write_atomically(options.json, content.encode())
        report(options, "every picture's numbers", options.json, sys.stderr)
    print_table(evaluation.table())


def _check_outputs(options):
    from yoto_tf.data.images import SUFFIXES
    from yoto_tf.machine.outputs import check_output, is_read

    for path, suffixes in ((options.json, (".json",)), (options.plot, _PLOTS)):
        if path in (None, "-"):
            continue
        expected = f"a suffix of {', '.join(suffixes)}"
        check_output(path, suffixes, expected, [options.data], SUFFIXES)
        if is_read(path, options.model):
            raise DataError(f"{path} is a file of the model {options.model}")


def _plot(text):
    path = Path(text)
    if path.suffix not in _PLOTS:
        raise argparse.ArgumentTypeError(f"expected a .png, .svg or .pdf, got {text}")
    return path
