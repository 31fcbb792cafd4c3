"""`yoto decompress`"""

from yoto_tf.cli.engine import add_engine, is_chosen, run_task
from yoto_tf.cli.files import add_files, read_files
from yoto_tf.cli.output import print_conversion
from yoto_tf.cli.parser import add_model, add_no_clobber, add_threads, add_volume
from yoto_tf.cli.startup import import_keras


def add(subparsers):
    """Adds the subcommand."""
    parser = subparsers.add_parser(
        "decompress",
        help=".yoto files to pictures",
        description="Decodes compressed files. The suffix of a picture to write names "
        "its format; in a folder, and on standard output, it is PNG.",
    )
    add_files(parser, "a .yoto file", "the picture, such as out.png,")
    add_model(
        parser,
        "--model",
        note=" (default: the pretrained model that the file names)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_no_clobber(parser)
    add_threads(parser)
    add_volume(parser, "say what each file was and which model decoded it")
    add_engine(parser)
    parser.set_defaults(run=run)


def run(options):
    """Decodes; the status is 1 if one of many files failed."""
    if is_chosen(options):
        from yoto_tf.bulk import decompression

        return run_task(options, decompression(options.model))
    sources, target = read_files(options)
    from yoto_tf.zoo.codec.files import decompress_files, needs_model

    if needs_model(sources):
        import_keras(options.threads)
    report = decompress_files(
        sources, target, options.model, clobber=not options.no_clobber
    )
    describe = _described_at_length if options.verbose else _described
    return print_conversion(options, report, target, describe)


def _described(file):
    return f"{file['width']} × {file['height']} pixels"


def _described_at_length(file):
    parts = [f"{name} {value:g}" for name, value in file["coefficients"].items()]
    if file["coefficients"]:
        parts.append(f"model {file['model'] or file['model_id']}")
    parts += [file["second_layer"]] if "second_layer" in file else []
    return (
        f"{_described(file)}, from {file['input']}: {file['bytes']:,} bytes, "
        f"{', '.join(parts)}"
    )
