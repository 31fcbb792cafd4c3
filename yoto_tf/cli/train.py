"""`yoto train`"""

import argparse
import dataclasses
import os
import re
import sys
import textwrap

from yoto_tf.cli.output import say
from yoto_tf.cli.parser import Parser, add_threads, positive
from yoto_tf.cli.startup import chosen_backend, import_keras
from yoto_tf.errors import RecipeError
from yoto_tf.machine.threads import limit_threads

# The port after the coordinator's is used, too.
_LAST_PORT = 65535


def add(subparsers):
    """Adds the subcommand."""
    parser = subparsers.add_parser(
        "train",
        add_help=False,
        help="train a recipe, from the start, a checkpoint or a pretrained model",
        description="Trains a recipe. The trained model is written to WORKDIR/release, "
        "which is a MODEL for the other commands.",
        epilog="A recipe may have options of its own: `yoto train RECIPE --help` shows "
        "them.",
    )
    parser.add_argument(
        "-h", "--help", action=_Help, help="show this, and the options of RECIPE"
    )
    parser.add_argument(
        "recipe", metavar="RECIPE", help="FAMILY/NAME of the zoo, or a .py file"
    )
    parser.add_argument(
        "--list",
        action=_List,
        help="list all recipes and their fields, or those of RECIPE named before it",
    )
    parser.add_argument(
        "--data",
        metavar="SPEC",
        help="a folder, a glob, shards (*.tar), a URL such as gs://BUCKET/PHOTOS or "
        "tfds:NAME[:SPLIT], as the recipe takes them (default: what the recipe names)",
    )
    length = parser.add_mutually_exclusive_group()
    length.add_argument(
        "--steps",
        type=int,
        metavar="N",
        help="same as --set steps=N (default: the recipe's)",
    )
    length.add_argument(
        "--minutes",
        type=float,
        metavar="N",
        help="train for so long by the clock, over all resumes, instead of for steps; "
        "starting and writing the release are part of it (default: the recipe's)",
    )
    parser.add_argument(
        "--workdir",
        metavar="DIR",
        help="checkpoints and logs, a folder or a URL such as gs://BUCKET/RUN "
        "(default: runs/ and the recipe's name)",
    )
    parser.add_argument(
        "--resume", action="store_true", help="carry on from the newest checkpoint"
    )
    parser.add_argument(
        "--from",
        dest="start",
        metavar="NAME",
        help="start from the weights of a pretrained name, a folder or an address "
        "(default: new weights)",
    )
    parser.add_argument(
        "--set",
        nargs="+",
        action="extend",
        default=[],
        metavar="FIELD=VALUE",
        help="replace fields of the recipe (default: none)",
    )
    _add_devices(parser)
    add_threads(parser)
    parser.set_defaults(run=run, more=[])


def _add_devices(parser):
    group = parser.add_argument_group(
        "many devices and hosts",
        "With KERAS_BACKEND=jax; see the guide docs/train-your-own.md.",
    )
    group.add_argument(
        "--devices",
        type=_devices,
        metavar="N",
        help="how many devices of this machine share each batch, or all (default: one; "
        "with --coordinator all)",
    )
    group.add_argument(
        "--strategy",
        choices=["mirrored"],
        help="on TensorFlow, share each batch by its MirroredStrategy (default: none)",
    )
    group.add_argument(
        "--coordinator",
        metavar="HOST:PORT",
        help="train together with other processes, of which the first is at this host "
        "and free port, with a free one after it; or auto, for what the environment of "
        "a cluster says "
        "(default: train alone)",
    )
    group.add_argument(
        "--processes",
        type=positive,
        metavar="P",
        help="how many processes train together (default: what the cluster says)",
    )
    group.add_argument(
        "--process",
        type=int,
        metavar="I",
        help="the number of this process, 0 to P - 1 (default: what the cluster says)",
    )


def _devices(text):
    """A number of devices, or "all"."""
    return text if text == "all" else positive(text)


def run(options):
    """Trains, and writes the release; the status is 130 after an interrupt."""
    _check_processes(options)
    if options.coordinator:
        from yoto_tf.training.joining import SUPERVISOR, blames_others, join, tell_end

        if SUPERVISOR not in os.environ:
            from yoto_tf.training.supervision import supervise

            return supervise(
                options.arguments,
                options.coordinator,
                options.processes,
                options.process,
            )
        if options.threads is not None:
            limit_threads(options.threads)
        join(options.coordinator, options.processes, options.process)
        with blames_others():
            status = _train(options)
        tell_end(status)
        return status
    return _train(options)


def _check_processes(options):
    """Raises RecipeError if it is not clear which process this is."""
    numbers = (options.processes, options.process)
    if options.coordinator is None or options.coordinator == "auto":
        if numbers != (None, None):
            raise RecipeError(
                "--processes and --process need --coordinator HOST:PORT, got "
                f"{options.coordinator or 'none'}"
            )
    elif None in numbers:
        raise RecipeError(
            "--coordinator HOST:PORT needs --processes and --process, too"
        )
    elif not re.fullmatch(r".+:\d{1,5}", options.coordinator):
        raise RecipeError(
            f"--coordinator must be HOST:PORT or auto, got {options.coordinator}"
        )
    elif not 0 < int(options.coordinator.rpartition(":")[2]) < _LAST_PORT:
        raise RecipeError(
            f"the port of --coordinator must be from 1 to {_LAST_PORT - 1}, got "
            f"{options.coordinator}"
        )
    elif not 0 <= options.process < options.processes:
        raise RecipeError(
            f"--process must be from 0 to {options.processes - 1}, got "
            f"{options.process}"
        )
    if options.coordinator and chosen_backend() != "jax":
        raise RecipeError(
            "--coordinator needs KERAS_BACKEND=jax: many processes train on JAX only, "
            f"the backend is {chosen_backend()}"
        )


def _train(options):
    import_keras(options.threads, pictures=False)
    from yoto_tf import zoo
    from yoto_tf.training.recipe import override
    from yoto_tf.zoo.recipes import load_recipe
    from yoto_tf.zoo.training import default_workdir

    recipe = override(load_recipe(options.recipe), options.set)
    workdir = options.workdir or default_workdir(options.recipe)
    result = zoo.train(
        _with_own_options(recipe, options.recipe, options.more),
        options.data,
        workdir,
        start=options.start,
        steps=options.steps,
        minutes=options.minutes,
        resume=options.resume,
        devices=options.devices,
        strategy=options.strategy,
        started=options.started,
    )
    if not result.first:
        return 0 if result.finished else 130
    if not result.finished:
        say(f"stopped at step {result.step}; --resume carries on", sys.stderr)
        return 130
    say(f"trained to step {result.step} in {result.seconds:.0f} s: {workdir}")
    return 0


class _Help(argparse.Action):
    """Shows the options of the recipe too, if one is named before `--help`."""

    def __init__(self, **options):
        super().__init__(nargs=0, default=argparse.SUPPRESS, **options)

    def __call__(self, parser, namespace, values, option_string=None):
        parser.print_help()
        if getattr(namespace, "recipe", None):
            import_keras()
            from yoto_tf.zoo.recipes import load_recipe

            own = _parser_of(load_recipe(namespace.recipe), namespace.recipe)
            _, _, listed = own.format_help().partition("\n\n")
            print(f"\n{listed}" if listed else "", end="")
        parser.exit()


class _List(argparse.Action):
    """Lists recipes and their fields."""

    def __init__(self, **options):
        super().__init__(nargs=0, default=argparse.SUPPRESS, **options)

    def __call__(self, parser, namespace, values, option_string=None):
        import_keras()
        from yoto_tf.training.recipe import settings
        from yoto_tf.zoo.recipes import load_recipe, recipe_names, recipe_title

        chosen = getattr(namespace, "recipe", None)
        for name in [chosen] if chosen else recipe_names():
            fields = settings(load_recipe(name))
            say(f"{name}: {recipe_title(name)}")
            if chosen:
                for field, value, kind in fields:
                    say(f"    {field}={value}  ({kind})")
            else:
                shown = " ".join(f"{field}={value}" for field, value, _ in fields)
                for line in textwrap.wrap(shown, 84, break_long_words=False):
                    say(f"    {line}")
        parser.exit()


def _parser_of(recipe, name):
    """A parser of the options that a recipe declares."""
    from yoto_tf.training.recipe import recipe_options

    parser = Parser(f"yoto train {name}", add_help=False)
    group = parser.add_argument_group(f"options of {name}")
    for option in recipe_options(recipe).values():
        group.add_argument(
            option.flag,
            dest=option.field,
            metavar=option.metavar,
            help=option.help,
            default=argparse.SUPPRESS,
        )
    return parser


def _with_own_options(recipe, name, arguments):
    """A recipe with the fields that its own options set.

    Raises:
        RecipeError: it has no such option.
    """
    values, unknown = _parser_of(recipe, name).parse_known_args(arguments)
    if unknown:
        raise RecipeError(
            f"{name} has no option {unknown[0]} (see yoto train {name} --help)"
        )
    return dataclasses.replace(recipe, **vars(values))
