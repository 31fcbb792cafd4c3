"""Recipes: one Python file an experiment.

A recipe file has a function `recipe()` that returns a `Recipe`, and a docstring that
states the command, the time it took and on what, and the result it reached. A family
subclasses `Recipe` with its own fields and says how to build its model and its batches:

    @dataclasses.dataclass(frozen=True, kw_only=True)
    class CodecRecipe(Recipe):
        filters: int
        patch_size: int = 256

        def build(self): ...
        def batches(self, spec, first_batch): ...

    def recipe():
        return CodecRecipe(
            steps=1_000_000, batch_size=8, learning_rate=1e-4, filters=128
        )

Fork a recipe rather than growing options. A field that has to be given each time, such
as the painting of a new style, can have an option of `yoto train`: see `option`.
"""

import dataclasses
import difflib
import types
import typing
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

import keras

from yoto_tf.coefficients import Coefficients
from yoto_tf.distributions import Fixed
from yoto_tf.errors import RecipeError
from yoto_tf.training.schedules import WarmupStableDecay


@dataclasses.dataclass(frozen=True)
class Option:
    """An option of `yoto train` that sets a field of a recipe.

    Attributes:
        field: the field's name.
        flag: such as "--add-style".
        metavar: what its value is called.
        help: what it is for.
    """

    field: str
    flag: str
    metavar: str
    help: str


def option(flag: str, metavar: str, help: str, default: str = "") -> typing.Any:
    """A field of a recipe that `yoto train` sets by an option of its own.

    An option with the flag of one that all recipes have takes its place: a recipe that
    builds on a pretrained model can have `--from` set the field that names it.

    Args:
        flag: such as "--add-style".
        metavar: what its value is called.
        help: what it is for.
        default: the field's value where the option is not given.
    """
    return dataclasses.field(default=default, metadata={_OPTION: (flag, metavar, help)})


def recipe_options(recipe: "Recipe") -> dict[str, Option]:
    """{flag: `Option`} of the options that a recipe declares."""
    options = [
        Option(field.name, *field.metadata[_OPTION])
        for field in dataclasses.fields(recipe)
        if _OPTION in field.metadata
    ]
    return {option.flag: option for option in options}


_OPTION = "option of yoto train"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recipe:
    """What every experiment states; see the module's docstring.

    Attributes:
        steps: optimizer steps of the whole training.
        minutes: None, or the minutes of wall clock that the whole training takes, over
            all resumes: the schedule then follows the clock, and `steps` is ignored.
        batch_size: examples a step.
        learning_rate: peak of the `WarmupStableDecay` schedule.
        warmup_steps: steps over which the rate rises to the peak.
        decay_fraction: share of `steps`, at the end, over which the rate falls to 0.
        clipnorm: largest norm of the gradient of all variables together; None for no
            limit.
        precision: a Keras dtype policy, or "auto": mixed_bfloat16 where the processor
            has it, else float32.
        steps_per_execution: steps a call; at least 10 where an accelerator holds the
            photographs. Fewer where that does not divide both the steps left and the
            steps between two records of the log.
        jit_compile: whether a step is compiled with XLA; `"auto"` is Keras' choice.
        seed: of the initial weights and of the order of the data.
        data: where the examples come from unless the command says otherwise:
            `tfds:NAME[:SPLIT]`, a folder or a glob.
        model_devices: on JAX with `--devices`, among how many devices the kernels that
            `layout` names are divided; the examples are divided among the groups of so
            many.
        fixed: None to train for the whole distribution of coefficients; or the value at
            which each is held, in their order: a network without a dial, to compare
            with.
    """

    steps: int
    batch_size: int
    learning_rate: float
    minutes: float | None = None
    warmup_steps: int = 1000
    decay_fraction: float = 0.2
    clipnorm: float | None = 1.0
    precision: str = "auto"
    steps_per_execution: int = 1
    jit_compile: bool | Literal["auto"] = "auto"
    seed: int = 0
    data: str = ""
    model_devices: int = 1
    fixed: tuple[float, ...] | None = None

    def build(self) -> keras.Model:
        """The model to train, not compiled. Called under the dtype policy."""
        raise NotImplementedError

    def training_coefficients(self, coefficients: Coefficients) -> Coefficients:
        """The coefficients that `build` trains for.

        Args:
            coefficients: those of the family. They are returned as they are, unless the
                recipe states `fixed`: then each is held at its value there.
        """
        if self.fixed is None:
            return coefficients
        values = map(Fixed, coefficients.validate(self.fixed).tolist())
        return Coefficients(**dict(zip(coefficients.names, values, strict=True)))

    def batches(self, spec: str, first_batch: int) -> Iterable:
        """Batches from a data SPEC: a `tf.data.Dataset` or any iterable.

        It is gone through again when it ends. A batch is what the model's `fit` takes:
        a dict of inputs, or a tuple of inputs and targets. A resumed training passes
        the number of batches it has seen as `first_batch`.
        """
        raise NotImplementedError

    def initialise(self, model: keras.Model, batches: Iterable) -> None:
        """Sets initial weights that depend on data; by default there are none.

        Called once, when a training starts at step 0.
        """

    def release(self, model: keras.Model, directory: Path) -> None:
        """Writes a trained model in the form its users load; by default, nothing."""

    def layout(self) -> dict[str, tuple[str | None, ...]]:
        """Which variables `model_devices` divide, and along which of their axes.

        Returns:
            {regular expression that a whole path of a variable matches: for each of its
            axes "model" or None}, as of Keras' `LayoutMap`; by default, none. End a
            rule at the kernel's own layer, as `.*conv2d[^/]*/kernel` does:
            `.*conv2d.*kernel` also matches the kernels of a FiLM inside of that layer,
            which have other axes, and is refused.
        """
        return {}

    def length(self, examples: str) -> str:
        """How long it trains, for the card: such as "5,000 steps of 8 patches"."""
        if self.minutes is None:
            return f"{self.steps:,} steps of {self.batch_size} {examples}"
        return f"{self.minutes:g} minutes in steps of {self.batch_size} {examples}"

    def schedule(self) -> WarmupStableDecay:
        """The schedule of the learning rate."""
        return WarmupStableDecay(
            self.learning_rate, self.steps, self.warmup_steps, self.decay_fraction
        )

    def optimizer(self) -> keras.optimizers.Optimizer:
        """Adam on this recipe's schedule.

        Where the recipe states `minutes`, its rate is a number that the training sets
        by the clock.
        """
        rate = self.schedule() if self.minutes is None else self.learning_rate
        return keras.optimizers.Adam(rate, global_clipnorm=self.clipnorm)


def override(recipe: Recipe, settings: Sequence[str]) -> Recipe:
    """A recipe with some fields replaced, e.g. by `["steps=5000"]`.

    A value is read as its field's type: int, float, str, `true` or `false`, `none`
    where the field may be None, and numbers with commas between them for a tuple.

    Raises:
        RecipeError: If a field does not exist or a value is not of its type.
    """
    hints = typing.get_type_hints(type(recipe))
    fields = {field.name: hints[field.name] for field in dataclasses.fields(recipe)}
    values = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals:
            raise RecipeError(f"expected field=value, got {setting!r}")
        if name not in fields:
            near = difflib.get_close_matches(name, fields) or sorted(fields)
            raise RecipeError(
                f"the recipe has no field {name!r}, nearest: {', '.join(near)}"
            )
        try:
            values[name] = _parse(text, fields[name])
        except ValueError:
            raise RecipeError(
                f"{name} must be {_spell(fields[name])}, got {text!r}"
            ) from None
    return dataclasses.replace(recipe, **values)


def settings(recipe: Recipe) -> list[tuple[str, str, str]]:
    """Returns (field, value, type) of a recipe's fields, in the words of `override`."""
    hints = typing.get_type_hints(type(recipe))
    return [
        (field.name, _written(getattr(recipe, field.name)), _spell(hints[field.name]))
        for field in dataclasses.fields(recipe)
    ]


def _written(value):
    """A value as `_parse` reads it."""
    if isinstance(value, tuple):
        return ",".join(map(_written, value))
    if value is None or isinstance(value, bool):
        return str(value).lower()
    return str(value)


def _parse(text, kind):
    """Reads `text` as a value of the type `kind`, or raises ValueError."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        # str takes any text, so it comes after the types that may refuse it.
        for option in sorted(arguments, key=lambda option: option is str):
            try:
                return _parse(text, option)
            except ValueError:
                continue
    elif origin is typing.Literal and text in arguments:
        return text
    elif origin is tuple or kind is tuple:
        parts = [part.strip() for part in text.strip("() ").split(",") if part.strip()]
        if not arguments:
            return tuple(parts)
        if arguments[-1] is Ellipsis:
            arguments = (arguments[0],) * len(parts)
        if len(arguments) == len(parts):
            return tuple(map(_parse, parts, arguments))
    elif kind is bool and text.lower() in ("true", "false"):
        return text.lower() == "true"
    elif kind is type(None) and text.lower() == "none":
        return None
    elif kind in (int, float, str):
        return kind(text)
    raise ValueError(text)


def _spell(kind):
    plain = typing.get_origin(kind) is None and isinstance(kind, type)
    return kind.__name__ if plain else str(kind).replace("typing.", "")
