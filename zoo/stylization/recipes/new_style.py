"""One more style for the released stylizer, from one painting.

yoto train stylization/new_style --from stylization --add-style PAINTING \\
    --data PHOTOGRAPHS
"""

from yoto_tf.zoo.stylization.training.new_style import NewStyleRecipe


def recipe():
    return NewStyleRecipe()
