"""What belongs to one style alone, and mixtures of it."""

from keras import initializers, layers, ops

_LARGEST = 2.0**60
# Far beyond the numbers of any style.
_LARGEST_NUMBER = 2.0**13


def mixture(weights):
    """Style weights [B, S], ≥ 0 and not all zero, to float32 shares that sum to one.

    A request to a server may hold others: negative weights and NaN count as zero, and
    weights too large to be added up as `_LARGEST`. If all are zero, all count alike.
    """
    weights = ops.cast(weights, "float32")
    weights = ops.where(ops.isnan(weights), 0.0, weights)
    weights = ops.clip(weights, 0.0, _LARGEST)
    # Devices hold constants as float16, where a small threshold is zero.
    some = ops.sum(weights, axis=-1, keepdims=True) > 0.0
    weights = ops.where(some, weights, 1.0)
    return weights / ops.sum(weights, axis=-1, keepdims=True)


def mixed(shares, rows):
    """Σ_s shares[:, s] · rows[s], float32 [B, ...], for rows [S, ...].

    No matrix product: with products and sums rounded one by one, a style of share zero
    changes no bit of the others' mixture.
    """
    shares = ops.reshape(shares, (-1, rows.shape[0], *(1,) * (len(rows.shape) - 1)))
    return ops.sum(shares * rows, axis=1)


def _finite(vector):
    """A style's vector, float32, where a request to a server may hold anything."""
    vector = ops.cast(vector, "float32")
    vector = ops.where(ops.isnan(vector), 0.0, vector)
    return ops.clip(vector, -_LARGEST_NUMBER, _LARGEST_NUMBER)


class StyleTable(layers.Layer):
    """An embedding and a modulation of its own for every style.

    Args:
        styles: names of the styles.
        embedding_size: E.
        modulation_size: N, scales and offsets of all normalisations and the palette.

    Input: style weights [B, S], normalised to shares in here, or a style's vector
    [B, E + N], the two after each other. Output: a pair of the mixed embedding, float32
    [B, E], and the mixed modulation, float32 [B, N].

    Every style has its own two variables, which are all that a new style learns.
    """

    def __init__(self, styles, embedding_size, modulation_size, **kwargs):
        super().__init__(autocast=False, dtype="float32", **kwargs)
        self.styles = tuple(styles)
        self.embedding_size = embedding_size
        self.modulation_size = modulation_size
        self.vector_size = embedding_size + modulation_size
        if len(self.styles) == self.vector_size:
            raise ValueError(
                f"{self.vector_size} styles could not be told from a style's vector of "
                f"as many numbers, expected another number of styles"
            )

    def build(self, style_shape):
        self.embeddings = [
            self.add_weight(
                shape=(self.embedding_size,),
                initializer=initializers.RandomNormal(stddev=1.0),
                name=f"{style}_embedding",
            )
            for style in self.styles
        ]
        self.modulations = [
            self.add_weight(
                shape=(self.modulation_size,),
                initializer="zeros",
                name=f"{style}_modulation",
            )
            for style in self.styles
        ]

    def call(self, style):
        if style.shape[-1] == self.vector_size:
            vector = _finite(style)
            return vector[:, : self.embedding_size], vector[:, self.embedding_size :]
        shares = mixture(style)
        rows = (self.embeddings, self.modulations)
        embeddings, modulations = (
            ops.concatenate([row[None] for row in group], axis=0) for group in rows
        )
        return mixed(shares, embeddings), mixed(shares, modulations)

    def of(self, style):
        """The two variables of a style, by name."""
        place = self.styles.index(style)
        return self.embeddings[place], self.modulations[place]
