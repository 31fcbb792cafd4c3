"""Picture files by number: of a folder, a glob, or a place that fsspec knows."""

from yoto_tf.data.images import READ_SUFFIXES, image_files, read_image, read_image_bytes
from yoto_tf.errors import DataError
from yoto_tf.machine.remote import file_system, is_url, refused


class NumberedFiles:
    """Picture files, read one by one.

    Args:
        spec: a folder, searched recursively, a glob or a file; or the URL of one that
            fsspec knows (`gs://`, `s3://`: extra `remote`).

    Raises:
        DataError: there is no picture.
    """

    def __init__(self, spec):
        self._files = None
        if not is_url(spec):
            self.names = image_files(spec)
            return
        try:
            from fsspec.core import has_magic

            self._files, root = file_system(spec)
            found = (
                self._files.glob(root) if has_magic(root) else self._files.find(root)
            )
        # A package that is not installed, a name, rights, the network.
        except Exception as error:
            raise refused("read", spec, error) from error
        suffixes = tuple(READ_SUFFIXES)
        self.names = sorted(name for name in found if name.lower().endswith(suffixes))
        if not self.names:
            raise DataError(f"no pictures in {spec}")

    def __len__(self):
        return len(self.names)

    def read(self, number):
        """Picture `number`, uint8 `[height, width, 3]`.

        Raises:
            DataError: see `read_image`.
        """
        name = self.names[number]
        if self._files is None:
            return read_image(name)
        try:
            content = self._files.cat_file(name)
        # What a file system of fsspec raises is up to it.
        except Exception as error:
            raise refused("read", name, error) from error
        return read_image_bytes(content, name)
