"""One more style for a trained stylizer; pictures in its others stay bit for bit.

Everything is frozen but the two variables that belong to the new style alone, see
`StyleTable`. They start as what the stylizer's encoder sees in the painting.
"""

import dataclasses
import tempfile
from pathlib import Path

import keras
import numpy as np

from yoto_tf.errors import DataError
from yoto_tf.training.engine import train
from yoto_tf.training.recipe import option
from yoto_tf.zoo.quantization import dequantize
from yoto_tf.zoo.stylization.paintings import painting_files, read_painting
from yoto_tf.zoo.stylization.recipe import StylizationRecipe
from yoto_tf.zoo.stylization.styles import stylizer_release, vector_of, with_style
from yoto_tf.zoo.stylization.stylizer import Stylizer
from yoto_tf.zoo.stylization.training.styled_patches import StyledPatches


@dataclasses.dataclass(frozen=True, kw_only=True)
class NewStyleRecipe(StylizationRecipe):
    """A trained stylizer's next style, learned from one painting.

    Attributes:
        base: the stylizer: a pretrained name or the directory of a release. Its width
            and blocks are taken, not the recipe's.
        styles: the file of the painting; the style takes its name.
        learning_rate: high, since all that learns are the parameters of the style.
    """

    steps: int = 1000
    batch_size: int = 4
    learning_rate: float = 1e-2
    warmup_steps: int = 50
    base: str = option(
        "--from",
        "NAME",
        "the stylizer that learns the style: a pretrained name, a folder or a handle "
        "(default: stylization)",
        default="stylization",
    )
    styles: str = option(
        "--add-style", "PAINTING", "the picture of which it learns the style"
    )

    def build(self):
        name, file = self._painting()
        before = stylizer_release(self.base)
        vector = start(before, read_painting(file, self.style_size))
        release = with_style(before, name, vector)
        network = release.network(keras.config.dtype_policy().name)
        for weight in network.weights:
            weight.trainable = any(weight is own for own in network.table.of(name))
        terms = self.terms([file])
        others = len(network.styles) - 1
        # The batches are of the new style alone.
        grams = {
            layer: np.pad(gram, ((others, 0), (0, 0), (0, 0)))
            for layer, gram in terms.grams.items()
        }
        return self.training_model(network, dataclasses.replace(terms, grams=grams))

    def batches(self, spec, first_batch):
        others = len(stylizer_release(self.base).config["config"]["styles"])
        return StyledPatches(
            self.patches(spec, first_batch),
            others + 1,
            choices=[others],
            copied=self.stability > 0,
        )

    def _painting(self):
        files = painting_files(self.styles)
        if len(files) != 1:
            raise DataError(
                f"expected one painting, found {len(files)} in {self.styles}"
            )
        [painting] = files.items()
        return painting


def start(release, painting):
    """What a new style begins with, float32 [V].

    Args:
        release: of a stylizer.
        painting: uint8 [H, W, 3].

    Returns:
        What the stylizer's encoder predicts, or the mean of its styles if it has none.
    """
    config = release.config["config"]
    if config.get("style_encoder"):
        return Stylizer(release).predict_style(painting)
    weights = dequantize(release.weights)
    rows = [vector_of(weights, style) for style in config["styles"]]
    return np.mean(rows, axis=0, dtype="float32")


def add_style(stylizer, painting, photographs, steps=1000, **fields):
    """Teaches a stylizer one more style; all the others give the same pictures as ever.

    Args:
        stylizer: a `Stylizer`; it is left as it is.
        painting: a picture file, whose name becomes that of the style.
        photographs: folder, glob or `tfds:NAME[:SPLIT]` to train with.
        steps: of training.
        **fields: further fields of `NewStyleRecipe`, such as `features`.

    Returns:
        A new `Stylizer`.

    Raises:
        DataError: the painting, photographs or features cannot be read.
        RecipeError: there is a style of that name.
        KeyboardInterrupt: the training was interrupted.
    """
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder, "base")
        stylizer.save(base)
        recipe = NewStyleRecipe(
            base=str(base), styles=str(painting), steps=steps, **fields
        )
        trained = train(recipe, str(photographs), Path(folder, "training"))
    if not trained.finished:
        raise KeyboardInterrupt
    return Stylizer.from_network(trained.model.network, stylizer.card)
