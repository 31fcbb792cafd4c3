import contextlib
import dataclasses
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yoto_tf.coefficients import Coefficients
from yoto_tf.distributions import Dirichlet, Uniform
from yoto_tf.errors import CoefficientError, RecipeError
from yoto_tf.training.recipe import Recipe, option, override, recipe_options

FILE = Path(__file__).parents[1] / "least_squares_recipe.py"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Fields(Recipe):
    flag: bool = False
    filters: tuple[int, ...] = (96, 144)
    scale_range: tuple[float, float] = (0.5, 1.0)
    transform: Literal["gdn", "relu"] = "gdn"
    crop: int | str = 0


FIELDS = Fields(steps=100, batch_size=4, learning_rate=1e-4)


def test_override_keeps_the_rest():
    changed = override(FIELDS, ["steps=7", "learning_rate=3e-3"])
    assert changed == dataclasses.replace(FIELDS, steps=7, learning_rate=3e-3)
    assert FIELDS.steps == 100


def test_length_in_words():
    assert FIELDS.length("patches") == "100 steps of 4 patches"
    timed = dataclasses.replace(FIELDS, minutes=90.0)
    assert timed.length("patches") == "90 minutes in steps of 4 patches"


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("steps=1_000", 1000),
        ("learning_rate=1", 1.0),
        ("clipnorm=none", None),
        ("clipnorm=2", 2.0),
        ("flag=true", True),
        ("flag=False", False),
        ("filters=64", (64,)),
        ("filters=(64, 96, 128)", (64, 96, 128)),
        ("filters=", ()),
        ("scale_range=0.25,1", (0.25, 1.0)),
        ("transform=relu", "relu"),
        ("crop=8", 8),
        ("crop=centre", "centre"),
        ("data=a=b", "a=b"),
    ],
)
def test_override_reads_the_field_type(setting, value):
    read = getattr(override(FIELDS, [setting]), setting.partition("=")[0])
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("steps=many", "steps must be int, got 'many'"),
        ("steps=1.5", "steps must be int, got '1.5'"),
        ("learning_rate=fast", "learning_rate must be float, got 'fast'"),
        ("steps=none", "steps must be int"),
        ("flag=maybe", "flag must be bool, got 'maybe'"),
        ("filters=1,b", r"filters must be tuple\[int, \.\.\.\], got '1,b'"),
        ("scale_range=1", r"scale_range must be tuple\[float, float\]"),
        ("transform=elu", r"transform must be Literal\['gdn', 'relu'\], got 'elu'"),
        ("clipnorm=x", r"clipnorm must be .*float.*None.*, got 'x'"),
        ("step=3", "no field 'step', nearest: steps"),
        ("zzz=3", "no field 'zzz', nearest: batch_size, clipnorm"),
        ("steps", "expected field=value, got 'steps'"),
    ],
)
def test_bad_override_says_what_came(setting, message):
    with pytest.raises(RecipeError, match=message):
        override(FIELDS, [setting])


@given(
    st.fixed_dictionaries(
        {
            "steps": st.integers(),
            "learning_rate": st.floats(allow_nan=False),
            "clipnorm": st.none() | st.floats(allow_nan=False),
            "flag": st.booleans(),
            "filters": st.lists(st.integers()).map(tuple),
            "scale_range": st.tuples(
                st.floats(allow_nan=False), st.floats(allow_nan=False)
            ),
            "transform": st.sampled_from(["gdn", "relu"]),
            "data": st.text(),
        }
    )
)
def test_override_reads_what_python_prints(values):
    changed = override(FIELDS, [f"{name}={value}" for name, value in values.items()])
    assert {name: getattr(changed, name) for name in values} == values


@given(st.text())
def test_any_text_is_read_or_refused(text):
    for name in ("steps", "flag", "filters", "scale_range", "clipnorm", "transform"):
        with contextlib.suppress(RecipeError):
            assert isinstance(override(FIELDS, [f"{name}={text}"]), Fields)


def test_coefficients_are_held_where_the_recipe_says():
    coefficients = Coefficients(joint=Dirichlet(left=1.0, right=1.0))
    assert FIELDS.training_coefficients(coefficients) is coefficients
    fixed = override(FIELDS, ["fixed=0.25,0.75"])
    assert fixed.training_coefficients(coefficients).ranges() == {
        "left": (0.25, 0.25),
        "right": (0.75, 0.75),
    }
    assert override(fixed, ["fixed=none"]).fixed is None


@pytest.mark.parametrize("fixed", [(3.0,), (0.5, 0.5)])
def test_held_values_are_checked(fixed):
    recipe = dataclasses.replace(FIELDS, fixed=fixed)
    with pytest.raises(CoefficientError):
        recipe.training_coefficients(Coefficients(distortion=Uniform(0.0, 2.0)))


def test_a_recipe_declares_options_of_its_own():
    @dataclasses.dataclass(frozen=True, kw_only=True)
    class Painting(Recipe):
        picture: str = option("--picture", "FILE", "what to learn from")
        base: str = option("--from", "NAME", "what to build on", default="codec")

    recipe = Painting(steps=1, batch_size=1, learning_rate=1.0)
    assert (recipe.picture, recipe.base) == ("", "codec")
    options = recipe_options(recipe)
    assert {flag: found.field for flag, found in options.items()} == {
        "--picture": "picture",
        "--from": "base",
    }
    assert options["--picture"].metavar == "FILE"
    assert recipe_options(FIELDS) == {}
