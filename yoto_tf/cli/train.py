"""`yoto train`"""

import dataclasses
import os
import sys
from pathlib import Path

from yoto_tf.cli.startup import import_keras


def add(subparsers):
    """Adds the subcommand."""
    parser = subparsers.add_parser(
        "train",
        help="train a recipe, from the start, a checkpoint or a pretrained model",
        description="Trains a recipe. The trained model is written to WORKDIR/release, "
        "which is a MODEL for the other commands.",
    )
    parser.add_argument(
        "recipe", metavar="RECIPE", help="FAMILY/NAME of the zoo, or a .py file"
    )
    parser.add_argument(
        "--data", metavar="SPEC", help="a folder, a glob or tfds:NAME[:SPLIT]"
    )
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--steps", type=int, metavar="N", help="same as --set steps=N")
    length.add_argument(
        "--minutes",
        type=float,
        metavar="N",
        help="train for so long by the clock, over all resumes, instead of for steps",
    )
    parser.add_argument(
        "--workdir",
        type=Path,
        metavar="DIR",
        help="checkpoints and logs (default: runs/ and the recipe's name)",
    )
    parser.add_argument(
        "--resume", action="store_true", help="carry on from the newest checkpoint"
    )
    parser.add_argument(
        "--from",
        dest="start",
        metavar="NAME",
        help="start from the weights of a pretrained name, a folder or an address",
    )
    parser.add_argument(
        "--add-style",
        metavar="PAINTING",
        help="with stylization/new_style: the picture of which the stylizer of --from "
        "(default: stylization) learns the style",
    )
    parser.add_argument(
        "--set",
        nargs="+",
        action="extend",
        default=[],
        metavar="FIELD=VALUE",
        help="replace fields of the recipe",
    )
    parser.set_defaults(run=run)


def run(options):
    """Trains, and writes the release; the status is 130 after an interrupt."""
    import_keras()
    from yoto_tf import zoo
    from yoto_tf.errors import RecipeError
    from yoto_tf.machine.atomic_files import write_atomically
    from yoto_tf.training.engine import train
    from yoto_tf.training.recipe import override
    from yoto_tf.zoo.recipes import load_recipe
    from yoto_tf.zoo.release import start_from

    recipe, start = override(load_recipe(options.recipe), options.set), options.start
    if options.add_style:
        if not hasattr(recipe, "base"):
            raise RecipeError(
                f"--add-style needs a recipe for one more style, "
                f"stylization/new_style, got {options.recipe}"
            )
        base = start or recipe.base
        recipe = dataclasses.replace(recipe, styles=options.add_style, base=base)
        start = None  # the recipe itself builds on its base
    given = {
        "data": options.data,
        "steps": options.steps,
        "minutes": options.minutes,
    }
    given = {name: value for name, value in given.items() if value is not None}
    recipe = dataclasses.replace(recipe, **given)
    name = options.recipe
    name = Path(name).stem if name.endswith(".py") else name
    workdir = options.workdir or Path("runs", name)
    initialise = None
    if start:
        if os.path.realpath(start) == os.path.realpath(workdir / "release"):
            raise RecipeError(
                f"{start} is what the training would write, expected another --workdir"
            )
        release = zoo.release_of(start)

        def initialise(model, batches):
            start_from(model.network, release)

    trained = train(recipe, None, workdir, resume=options.resume, initialise=initialise)
    if not trained.finished:
        print(f"stopped at step {trained.step}; --resume carries on", file=sys.stderr)
        return 130
    recipe.release(trained.model, workdir / "release")
    card = workdir / "release" / "README.md"
    if start and card.exists():
        began = f"\nThe training began from {start}, model {release.id}.\n"
        write_atomically(card, card.read_bytes() + began.encode(errors="replace"))
    print(f"trained to step {trained.step} in {trained.seconds:.0f} s: {workdir}")
    return 0
