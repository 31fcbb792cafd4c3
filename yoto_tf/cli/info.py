"""`yoto info`"""

import os

from yoto_tf.cli.files import read_sources
from yoto_tf.cli.output import print_json, print_table, say, say_error
from yoto_tf.cli.parser import PATHS
from yoto_tf.errors import DataError, FormatError


def add(subparsers):
    """Adds the subcommand."""
    parser = subparsers.add_parser(
        "info",
        help="what is in .yoto files, without decoding them",
        description="Says what is in a .yoto file, or prints a table of many.",
    )
    parser.add_argument(
        PATHS,
        nargs="+",
        metavar="IN",
        help="a .yoto file, a folder or a glob, several of them, or - for standard "
        "input",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(options):
    """Prints what the files say; the status is 1 if one of many failed."""
    from yoto_tf.zoo.codec.files import compressed_files, describe

    sources = read_sources(options.paths)
    if len(sources) == 1 and not _is_many(sources[0]):
        file = describe(sources[0])
        if options.json:
            print_json(file)
        else:
            _print_one(file)
        return 0
    files, failed = [], []
    for source in sources:
        for path in compressed_files(source) if _is_many(source) else [source]:
            try:
                files.append(describe(path))
            except (DataError, FormatError) as error:
                failed.append({"input": str(path), "error": str(error)})
    if options.json:
        print_json({"files": files, "failed": failed})
    elif files:
        print_table([_HEAD, *map(_row, files)])
    for failure in failed:
        say_error(failure["error"])
    return 1 if failed else 0


def _is_many(source):
    """Whether a name stands for files; one of no file is left to `describe`."""
    return os.path.isdir(source) or (
        any(char in "*?[" for char in str(source)) and not os.path.exists(source)
    )


def _print_one(file):
    say(f"picture  {file['width']} × {file['height']} pixels")
    say(f"file     {file['bytes']:,} bytes, {file['bits_per_pixel']:.4g} bits/pixel")
    if file["coefficients"]:
        model = file["model"] or "not among the pretrained ones"
        say(f"model    {model}, id {file['model_id']}")
    if "second_layer" in file:
        say(f"layer    {file['second_layer']}")
    if "metadata" in file:
        say(f"holds    {', '.join(file['metadata'])}")
    for name, value in file["coefficients"].items():
        say(f"{name} = {value:g}")


_HEAD = ("file", "width", "height", "bytes", "bits/pixel", "model", "holds")


def _row(file):
    model = file["model"] or file["model_id"]
    values = [f"{name}={value:g}" for name, value in file["coefficients"].items()]
    extras = [file["second_layer"]] if "second_layer" in file else []
    return (
        file["input"],
        str(file["width"]),
        str(file["height"]),
        f"{file['bytes']:,}",
        f"{file['bits_per_pixel']:.4g}",
        model if values else "none",
        ", ".join([*values, *extras, *file.get("metadata", ())]),
    )
