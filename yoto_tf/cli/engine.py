"""`--engine ray`: the options of commands that an engine can run, and what they say."""

import dataclasses

from yoto_tf.cli.output import print_json, report, say_error
from yoto_tf.cli.parser import positive
from yoto_tf.cli.sizes import size
from yoto_tf.errors import DataError


def add_engine(parser, packs=True):
    """Adds the options; `is_chosen` says whether the engine is.

    Args:
        parser: of a subcommand.
        packs: whether it writes outputs that can be packed into shards.
    """
    engine = parser.add_argument_group(
        "many machines",
        "with --engine ray, what is read and written may be a URL such as "
        "s3://BUCKET/FOLDER; what an earlier run has done is not done again, and "
        "FOLDER/manifest says what became of each picture",
    )
    engine.add_argument(
        "--engine",
        choices=("ray",),
        help="run on the Ray cluster that RAY_ADDRESS names, or on one that is started "
        "here (default: in this process)",
    )
    engine.add_argument(
        "--workers",
        type=positive,
        metavar="N",
        help="processes with a model each, of --threads each, then by default 1 "
        "(default: as many as there are cores)",
    )
    if not packs:
        return
    engine.add_argument(
        "--shards",
        type=size,
        metavar="BYTES",
        help="pack what comes of inputs of so many bytes into one tar file (default: a "
        "file each)",
    )


def is_chosen(options):
    """Whether an engine is to run the command.

    Raises:
        DataError: its options are given without it.
    """
    for name in ("workers", "shards", "manifest"):
        if options.engine is None and getattr(options, name, None) is not None:
            raise DataError(f"--{name} is for --engine ray")
    return options.engine is not None


def run_task(options, task):
    """Runs a task on what the command was given, and returns the exit status."""
    from yoto_tf.bulk import convert_on_ray

    if options.no_clobber:
        raise DataError("--engine ray does what is missing, expected no --no-clobber")
    names = list(options.paths_and_output)
    target = options.output or names.pop()
    if len(names) != 1 or "-" in (*names, target):
        raise DataError(
            "--engine ray takes one folder, glob or file and the folder to write, got "
            f"{', '.join([*names, target])}"
        )
    done = convert_on_ray(
        task,
        names[0],
        target,
        workers=options.workers,
        threads=options.threads or 1,
        shard_bytes=options.shards,
    )
    if options.json:
        print_json(dataclasses.asdict(done))
    else:
        kept = f", {done.kept:,} done before" if done.kept else ""
        report(options, f"{done.written:,} files{kept}, see {done.manifest}", target)
    return say_failures(done)


def say_failures(done):
    """Says what failed, of a `BulkReport`, and returns the exit status."""
    for error in done.errors:
        say_error(error)
    if done.failed:
        say_error(f"{done.failed:,} of {done.written + done.failed:,} files failed")
    return 1 if done.failed else 0
