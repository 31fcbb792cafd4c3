"""`yoto evaluate`"""

import argparse
import json
from pathlib import Path

from yoto_tf.cli.output import print_json, print_table
from yoto_tf.cli.startup import import_keras


def add(subparsers):
    """Adds the subcommand."""
    parser = subparsers.add_parser(
        "evaluate", help="what a model reaches on a set of pictures"
    )
    parser.add_argument(
        "model", metavar="MODEL", help="a pretrained name, a folder or a Hub handle"
    )
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
        help="write every picture's numbers to a file, or print them",
    )
    parser.add_argument("--plot", type=_plot, metavar="OUT.png", help="draw the curves")
    parser.set_defaults(run=run)


def run(options):
    """Evaluates, prints the means, and writes what was asked for."""
    from yoto_tf import zoo
    from yoto_tf.machine.atomic_files import check_writable, write_atomically

    outputs = [path for path in (options.json, options.plot) if path not in (None, "-")]
    for path in outputs:
        check_writable(path)
    import_keras()
    evaluation = zoo.evaluate(options.model, options.data)
    if options.plot:
        evaluation.plot(options.plot)
    if options.json == "-":
        print_json(evaluation.to_json())
        return 0
    if options.json:
        content = json.dumps(evaluation.to_json(), indent=2, allow_nan=False) + "\n"
        write_atomically(options.json, content.encode())
    print_table(evaluation.table())
    return 0


def _plot(text):
    path = Path(text)
    if path.suffix not in (".pdf", ".png", ".svg"):
        raise argparse.ArgumentTypeError(f"expected a .png, .svg or .pdf, got {text}")
    return path
