"""Cards of models on the Hugging Face Hub, and the model's own card in one.

---
metadata as YAML
---
the model's own card
<!-- … -->
how to use it, see `yoto_tf.export.hugging_face`
"""

import re

END = "<!-- What follows is of the export, not of the model's own card. -->"
_METADATA = re.compile(r"\A---\n.*?^---\n+", re.DOTALL | re.MULTILINE)


def own_card(text):
    """The model's own card; a text without the other parts is returned as it is."""
    card, end, _ = _METADATA.sub("", text).partition(END)
    return card.rstrip() + "\n" if end else card
