"""A backbone and a task built as KerasHub builds its own: subclasses with graphs."""

import keras
from keras import layers, ops


@keras.saving.register_keras_serializable("tests")
class Encoder(layers.Layer):
    """A transformer block, whose layers no graph shows."""

    def __init__(self, heads, width, **kwargs):
        super().__init__(**kwargs)
        self.supports_masking = True
        self.heads, self.width = heads, width

    def build(self, x_shape, padding_mask_shape=None):
        self.attention = layers.MultiHeadAttention(self.heads, 4, name="attention")
        self.attention.build(x_shape, x_shape)
        self.norm = layers.LayerNormalization(name="norm")
        self.norm.build(x_shape)
        self.intermediate = layers.Dense(self.width, "gelu", name="intermediate")
        self.intermediate.build(x_shape)
        self.output_dense = layers.Dense(x_shape[-1], name="output")
        self.output_dense.build((*x_shape[:-1], self.width))

    def call(self, x, padding_mask):
        mask = ops.cast(padding_mask, "bool")[:, None]
        x = x + self.attention(x, x, attention_mask=mask)
        return x + self.output_dense(self.intermediate(self.norm(x)))

    def compute_output_shape(self, x_shape, padding_mask_shape=None):
        return x_shape

    def get_config(self):
        return {**super().get_config(), "heads": self.heads, "width": self.width}


@keras.saving.register_keras_serializable("tests")
class Backbone(keras.Model):
    def __init__(self, vocabulary=11, layer_count=2, width=8, **kwargs):
        tokens = keras.Input((None,), dtype="int32", name="token_ids")
        mask = keras.Input((None,), dtype="int32", name="padding_mask")
        self.token_embedding = layers.Embedding(vocabulary, width, name="embedding")
        x = self.token_embedding(tokens)
        self.encoders = []
        for number in range(layer_count):
            encoder = Encoder(2, 16, name=f"transformer_layer_{number}")
            self.encoders.append(encoder)
            x = encoder(x, padding_mask=mask)
        pooled = layers.Dense(width, "tanh", name="pooled_dense")(x[:, 0, :])
        super().__init__(
            inputs={"token_ids": tokens, "padding_mask": mask},
            outputs={"sequence_output": x, "pooled_output": pooled},
            **kwargs,
        )
        self.vocabulary, self.layer_count, self.width = vocabulary, layer_count, width

    def get_config(self):
        return {
            "name": self.name,
            "trainable": self.trainable,
            "vocabulary": self.vocabulary,
            "layer_count": self.layer_count,
            "width": self.width,
        }

    @classmethod
    def from_config(cls, config):
        return cls(**config)

    def enable_lora(self, rank):
        """Trains nothing but updates of low rank of queries and values."""
        for variable in self.variables:
            variable.trainable = False
        for layer in self._flatten_layers():
            if layer.name in ("query", "value"):
                layer.enable_lora(rank)


@keras.saving.register_keras_serializable("tests")
class Classifier(keras.Model):
    """A task: the model that a backbone is in."""

    def __init__(self, backbone, classes, **kwargs):
        self.backbone = backbone
        pooled = backbone(backbone.input)["pooled_output"]
        outputs = layers.Dense(classes, name="logits")(pooled)
        super().__init__(inputs=backbone.input, outputs=outputs, **kwargs)
        self.classes = classes

    def get_config(self):
        serialize = keras.saving.serialize_keras_object
        return {"backbone": serialize(self.backbone), "classes": self.classes}
