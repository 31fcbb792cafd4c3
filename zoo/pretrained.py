"""What the objects that users hold have in common."""

from yoto_tf import zoo
from yoto_tf.zoo.families import check_family
from yoto_tf.zoo.release import check_shapes
from yoto_tf.zoo.release_folder import write_release


class _ClassProperty:
    """A property of the class itself."""

    def __init__(self, function):
        self._function = function
        self.__doc__ = function.__doc__

    def __get__(self, instance, owner):
        return self._function(owner)


class Pretrained:
    """A network with its release; loaded and saved as KerasHub's models are.

    Args:
        release: a `Release` of the class's family.
        precision: Keras dtype policy of the network, `"float32"` or
            `"mixed_bfloat16"`.

    Attributes:
        family: of the class, the name of a `yoto_tf.zoo.families.Family`.
        model: the Keras network itself.
        coefficients: its `yoto_tf.Coefficients`.
        card: the model card, Markdown.

    Example:
        >>> codec = Codec.from_preset("codec")
        >>> codec.save_to_preset("my-codec")
        >>> codec = Codec.from_preset("my-codec")
    """

    family: str

    def __init__(self, release, precision="float32"):
        self.release = release
        self.model = release.network(precision)
        self.coefficients = self.model.coefficients
        self.card = release.card

    @classmethod
    def from_preset(cls, preset, **options):
        """Loads a model of this family.

        Args:
            preset: one of `presets`, a folder or a handle; see `yoto_tf.zoo.load`,
                which takes models of any family.
            **options: likewise.

        Raises:
            RecipeError: no such model, one that cannot be fetched, or one of another
                family.
        """
        release = zoo.release_of(preset, check_shapes)
        check_family(preset, release, cls.family)
        return cls(release, **options)

    @_ClassProperty
    def presets(cls):
        """{name: Summary} of the pretrained models of this family."""
        return {
            name: summary
            for name, summary in zoo.summaries().items()
            if summary.family == cls.family
        }

    def save(self, directory):
        """Writes a release that `yoto_tf.zoo.load(directory)` loads.

        Raises:
            DataError: a file cannot be written.
        """
        write_release(directory, self.release)

    save_to_preset = save
