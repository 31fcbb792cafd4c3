"""Results as tables and files. pandas is imported when the first data frame is made."""

import dataclasses
import json
import os
from pathlib import Path

from yoto_tf.errors import YotoError
from yoto_tf.machine.atomic_files import write_atomically


class Results:
    """The base of dataclasses that hold what was measured, and have a `table`."""

    def table(self) -> list[dict]:
        """A list of flat dicts."""
        raise NotImplementedError

    def to_dataframe(self):
        """`table` as a `pandas.DataFrame`.

        Raises:
            YotoError: pandas is not installed.
        """
        try:
            import pandas
        except ImportError as error:
            raise YotoError("to_dataframe needs pandas: install it") from error
        return pandas.DataFrame(self.table())

    def to_json(self, path: str | os.PathLike) -> None:
        """Writes the fields to a file."""
        content = json.dumps(dataclasses.asdict(self), indent=2) + "\n"
        write_atomically(path, content.encode())

    @classmethod
    def from_json(cls, path: str | os.PathLike) -> "Results":
        """Reads what `to_json` wrote."""
        return cls(**json.loads(Path(path).read_text(encoding="utf-8")))
