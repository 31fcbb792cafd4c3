"""Training a recipe to a release: what `yoto train` does, for Python."""

import dataclasses
import os
import tempfile
from pathlib import Path

from yoto_tf.errors import RecipeError


def train(
    recipe,
    data=None,
    workdir=None,
    *,
    start=None,
    steps=None,
    minutes=None,
    resume=False,
    devices=None,
    strategy=None,
    started=None,
):
    """Trains a recipe and writes the trained model to `workdir/release`.

    Args:
        recipe: a `yoto_tf.training.Recipe`; or what `yoto_tf.zoo.recipes.load_recipe`
            takes, such as "codec/large" or "my_recipe.py".
        data: a folder, a glob or `tfds:NAME[:SPLIT]`; None for the recipe's own.
        workdir: the folder of checkpoints, logs and the release, made if need be, or a
            URL such as `gs://bucket/run`, see `yoto_tf.training.engine.train`; None for
            `runs/` and the name of the recipe.
        start: the pretrained model whose weights the training starts from: a name, a
            folder or an address, see `yoto_tf.zoo.load`. The release's card says so. A
            recipe with an option `--from` of its own decides what it is for.
        steps: replaces `recipe.steps`, the total over all resumes.
        minutes: replaces `recipe.minutes`, likewise.
        resume: carry on from the newest checkpoint, if there is one.
        devices: on JAX, how many devices of this process share each batch, or "all";
            None for one, and for all where JAX has several processes. All processes
            then call this; the first one writes the release.
        started: from when `minutes` count, by `time.monotonic`; None for from when the
            model is made. They include the time that writing the release takes, which
            is found out before the first step.
        strategy: "mirrored" to share batches by TensorFlow's `MirroredStrategy`.

    Returns:
        A `yoto_tf.training.engine.TrainingResult`. An interrupted training, whose
        `finished` is false, has written no release.

    Raises:
        DataError: pictures that cannot be read, or a release that cannot be written.
        RecipeError: no such recipe or pretrained model, one that is not of the recipe's
            network, a `workdir` that would be overwritten; see also
            `yoto_tf.training.engine.train`.

    Example:
        >>> yoto.zoo.train("codec/context", "photos/", "runs/mine", start="codec")
    """
    from yoto_tf import zoo
    from yoto_tf.training import engine
    from yoto_tf.training.agreement import is_first_process
    from yoto_tf.training.recipe import Recipe, recipe_options
    from yoto_tf.training.workdir import open_workdir
    from yoto_tf.zoo.recipes import load_recipe
    from yoto_tf.zoo.release import start_from

    if not isinstance(recipe, Recipe):
        workdir = workdir or default_workdir(recipe)
        recipe = load_recipe(recipe)
    if workdir is None:
        raise RecipeError("train needs workdir, a folder, to train a Recipe object in")
    options, initialise, release = recipe_options(recipe), None, None
    if start and "--from" in options:
        recipe = dataclasses.replace(recipe, **{options["--from"].field: start})
        start = None
    if start:
        if os.path.realpath(start) == os.path.realpath(Path(workdir) / "release"):
            raise RecipeError(
                f"{start} is what the training would write, expected another workdir"
            )
        release = zoo.release_of(start)

        def initialise(model, batches):
            start_from(model.network, release)

    def release_elsewhere(model):
        with tempfile.TemporaryDirectory() as folder:
            recipe.release(model, Path(folder) / "release")

    fields = {"data": data, "steps": steps, "minutes": minutes}
    given = {name: value for name, value in fields.items() if value is not None}
    recipe = dataclasses.replace(recipe, **given)
    with open_workdir(workdir, is_first_process()) as opened:
        result = engine.train(
            recipe,
            None,
            opened,
            resume=resume,
            initialise=initialise,
            devices=devices,
            strategy=strategy,
            started=started,
            finish=release_elsewhere,
        )
        if result.finished and result.first:
            folder = opened.path / "release"
            recipe.release(result.model, folder)
            if start:
                _say_where_it_began(folder / "README.md", start, release.id)
            opened.save(required=True)
    return result


def default_workdir(recipe):
    """The folder in which a recipe of this name or file is trained by default."""
    name = str(recipe)
    return Path("runs", Path(name).stem if name.endswith(".py") else name)


def _say_where_it_began(card, start, release_id):
    """Adds a line to the card of a release, which only some recipes write."""
    from yoto_tf.machine.atomic_files import write_atomically

    if card.exists():
        line = f"\nThe training began from {start}, model {release_id.hex()}.\n"
        write_atomically(card, card.read_bytes() + line.encode(errors="replace"))
