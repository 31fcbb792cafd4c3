"""The recipe of the zoo that RECIPE in the environment names, trained by plain SGD.

Adam divides gradients by their size: where one is nearly zero, as of a unit that hardly
counts, what rounding leaves of it decides in which direction the weight goes.
"""

import dataclasses
import os

import keras

from yoto_tf.zoo.recipes import load_recipe


def recipe():
    found = load_recipe(os.environ["RECIPE"])

    class Plain(type(found)):
        def optimizer(self):
            return keras.optimizers.SGD(
                self.learning_rate, global_clipnorm=self.clipnorm
            )

    fields = dataclasses.fields(found)
    return Plain(**{field.name: getattr(found, field.name) for field in fields})
