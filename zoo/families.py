"""The families of models: each is listed here, once, or by the package that has it.

The zoo, the command line, exports, the client of a server, pages on a Hub and the
demo look a family up in this table. Its entries are strings, which are imported when
they are needed: most of what they name builds upon this module.

Another package adds a family through an entry point that holds a `Family`:

    [project.entry-points."yoto_tf.families"]
    sharpness = "sharpness_dial.family:FAMILY"

The module of that entry point is imported whenever families are listed, and so should
import nothing but this one.
"""

import dataclasses
import functools
import importlib.util
import reprlib
from pathlib import Path

from yoto_tf.errors import RecipeError
from yoto_tf.resolver import resolve

GROUP = "yoto_tf.families"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Family:
    """What there is of a family of models. Names are of the form "package.module:name".

    Attributes:
        name: of the family, as releases and `FAMILY/NAME` of recipes have it.
        noun: what a model of it is called in a sentence, in the singular.
        package: name of its package. `recipes/NAME.py` in it are its recipes,
            `released/NAME/` its pretrained models.
        networks: name of a tuple of the names under which Keras knows the networks that
            a release of the family may hold. Its module needs no Keras.
        model: name of the class that a user holds. It takes a `Release` and
            `precision`, the dtype policy, keeps the former as `release`, and has the
            network as `model`, its `coefficients` and its `card`. Its module registers
            the network with Keras.
        evaluation: name of a function of such an object, a SPEC of pictures and the
            model's name; it returns what `yoto_tf.zoo.evaluate` does. None: it has no
            measures.
        export: name of a function of such an object to its
            `yoto_tf.export.exportable.Exportable`. None: it cannot be exported.
        requests: name of a class of a `Release` and `Client.predict`, whose methods ask
            a model server. None: only `Client.predict` does.
        web_page: name of a function of such an object to the
            `yoto_tf.export.web.page.WebPage` of `yoto export --target web`. None: there
            is no such page.
        demo_title: of its tab in the demo.
        demo_tab: name of a function of a model's name, the object and a picture uint8
            [H, W, 3], which fills the tab. None: it has no tab.
        demo_picture: name of a function of nothing to the picture that is there at
            first, unless the demo is given another.
        demo_first: name of the model that the tab shows first, of several.
        hub_task: one of the tasks of tfhub.dev. None: it has none for such models.
        pipeline_tag: one of the tasks of the Hugging Face Hub, likewise.
    """

    name: str
    noun: str
    package: str
    networks: str
    model: str
    evaluation: str | None = None
    export: str | None = None
    requests: str | None = None
    web_page: str | None = None
    demo_title: str = ""
    demo_tab: str | None = None
    demo_picture: str = "yoto_tf.data.example_photograph:photograph"
    demo_first: str = ""
    hub_task: str | None = None
    pipeline_tag: str | None = None

    def resolve(self, field):
        """Imports what a field names.

        Args:
            field: of those above that hold such a name, such as "model".

        Returns:
            What is named, or None where the field is None.

        Raises:
            RecipeError: what is named is not there.
        """
        name = getattr(self, field)
        if name is None:
            return None
        try:
            return resolve(name)
        except (ImportError, AttributeError, ValueError) as error:
            raise RecipeError(
                f"the family {self.name} names {name}, which cannot be imported: "
                f"{error}"
            ) from error

    def recipe(self, name):
        """The function `recipe` of one of its recipes; its file may raise anything."""
        return resolve(f"{self.package}.recipes.{name}:recipe")

    def recipe_names(self):
        """Names of its recipes, in order. None of them is imported."""
        files = (_folder(self) / "recipes").glob("*.py")
        return sorted(file.stem for file in files if not file.stem.startswith("_"))

    def released(self):
        """{name: folder} of its pretrained models, in order."""
        found = sorted(released_folder(self).glob("*/config.json"))
        return {path.parent.name: path.parent for path in found}


_OURS = (
    Family(
        name="codec",
        noun="codec",
        package="yoto_tf.zoo.codec",
        networks="yoto_tf.zoo.codec:REGISTERED_NAMES",
        model="yoto_tf.zoo.codec.codec:Codec",
        evaluation="yoto_tf.zoo.codec.evaluation:evaluate",
        export="yoto_tf.export.families.codec:describe",
        requests="yoto_tf.export.serving.client.codec_requests:CodecRequests",
        web_page="yoto_tf.export.web.codec_page:web_page",
        demo_title="Codec",
        demo_tab="yoto_tf.demo.web.codec_tab:add",
        pipeline_tag="image-to-image",
    ),
    Family(
        name="stylization",
        noun="stylizer",
        package="yoto_tf.zoo.stylization",
        networks="yoto_tf.zoo.stylization:REGISTERED_NAMES",
        model="yoto_tf.zoo.stylization.stylizer:Stylizer",
        export="yoto_tf.export.families.stylization:describe",
        requests="yoto_tf.export.serving.client.stylizer_requests:StylizerRequests",
        web_page="yoto_tf.export.web.stylizer_page:web_page",
        demo_title="Style",
        demo_tab="yoto_tf.demo.web.style_tab:add",
        demo_picture="yoto_tf.data.example_photograph:colosseum",
        hub_task="image-style-transfer",
        pipeline_tag="image-to-image",
    ),
    Family(
        name="vae",
        noun="vae",
        package="yoto_tf.zoo.vae",
        networks="yoto_tf.zoo.vae:REGISTERED_NAMES",
        model="yoto_tf.zoo.vae.vae:VAE",
        evaluation="yoto_tf.zoo.vae.evaluation:evaluate",
        export="yoto_tf.export.families.vae:describe",
        requests="yoto_tf.export.serving.client.vae_requests:VAERequests",
        demo_title="VAE",
        demo_tab="yoto_tf.demo.web.vae_tab:add",
        demo_first="vae-mnist",
        hub_task="image-generator",
        pipeline_tag="unconditional-image-generation",
    ),
)


@functools.cache
def all_families():
    """{name: Family} of the zoo's families and those of other packages.

    Raises:
        RecipeError: an entry point that cannot be loaded or holds something else, or
            two families of one name.
    """
    listed, owners = {}, {}
    for family, owner in [*((family, "yoto_tf") for family in _OURS), *_others()]:
        if family.name in listed:
            raise RecipeError(
                f"the family {family.name} is listed twice, by {owners[family.name]} "
                f"and by {owner}: uninstall one of them"
            )
        listed[family.name], owners[family.name] = family, owner
    return listed


def family_named(name):
    """The `Family` of a name, which may come from anybody's file.

    Raises:
        RecipeError: no installed package has it.
    """
    if not (isinstance(name, str) and name in all_families()):
        raise RecipeError(
            f"there is no family {reprlib.repr(name)}, installed are "
            f"{', '.join(all_families())}"
        )
    return all_families()[name]


def check_family(model, release, expected):
    """Checks that a model is of the family that a function is for.

    Args:
        model: what the user calls it.
        release: its `Release`.
        expected: name of a family.

    Raises:
        RecipeError: it is of another.
    """
    if release.family != expected:
        raise RecipeError(
            f"{model} is of the family {release.family}, expected a "
            f"{all_families()[expected].noun}"
        )


def released_folder(family):
    """The folder of a family's pretrained models, which need not be there.

    Raises:
        RecipeError: its package is not there.
    """
    return _folder(family) / "released"


def _folder(family):
    """The folder of a family's package, which is not imported for it."""
    try:
        spec = importlib.util.find_spec(family.package)
    except ModuleNotFoundError:
        spec = None
    if spec is None or not spec.submodule_search_locations:
        raise RecipeError(
            f"the family {family.name} names the package {family.package}, "
            "which is not there"
        )
    return Path(next(iter(spec.submodule_search_locations)))


def _others():
    """Yields each `Family` of another package, and what that package is called."""
    # Late: `yoto --help` needs no families, and this takes as long as a third of it.
    import importlib.metadata

    for point in importlib.metadata.entry_points(group=GROUP):
        owner = f"{point.dist.name} {point.dist.version}"
        try:
            family = point.load()
        # A module may raise whatever it likes while it is imported.
        except Exception as error:
            reason = f"{type(error).__name__}: {error}".partition("\n")[0]
            raise RecipeError(
                f"{owner} lists the family {point.name}, but {point.value} cannot be "
                f"loaded ({reason})"
            ) from error
        if not isinstance(family, Family):
            raise RecipeError(
                f"{owner} lists the family {point.name}, but {point.value} is a "
                f"{type(family).__name__}, expected a yoto_tf.zoo.families.Family"
            )
        yield family, owner
