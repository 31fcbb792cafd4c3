"""What a codec reaches on very many pictures."""

import posixpath

from yoto_tf.bulk.ray_engine import convert_on_ray
from yoto_tf.bulk.tasks.codec import evaluation
from yoto_tf.zoo.codec.evaluation import Evaluation


def evaluate_on_ray(model, source, target, *, workers=None, threads=1):
    """Measures a codec on all pictures of a folder, of which some may have been before.

    Args:
        model: a pretrained name or the directory of a release.
        source, workers, threads: see `convert_on_ray`.
        target: the folder of the manifest.

    Returns:
        An `Evaluation`, in memory, as `yoto_tf.zoo.evaluate` returns it, of the
        pictures that did not fail; and a `BulkReport`.

    Raises:
        DataError: see `convert_on_ray`.
        RecipeError: see `yoto_tf.zoo.release_of`.
    """
    task = evaluation(model)
    report = convert_on_ray(task, source, target, workers=workers, threads=threads)
    return Evaluation(model, str(source), _images(task, source, target)), report


def _images(task, source, target):
    import pyarrow as pa

    from yoto_tf.bulk import manifest
    from yoto_tf.bulk.listing import sources
    from yoto_tf.bulk.places import place
    from yoto_tf.bulk.plan import work_on

    source, images = place(source), {}
    for folder in sources(source, task.read.suffixes):
        for found in folder:
            row = work_on(task, source, found)
            images[row["key"]] = {"name": posixpath.basename(found.name)}
    columns = ["key", "width", "height", "points", "error"]
    for part in manifest.read(place(target), columns):
        wanted = pa.compute.is_in(part["key"], pa.array(list(images), part["key"].type))
        for row in part.filter(wanted).to_pylist():
            if row.pop("error") is None:
                images[row.pop("key")] |= row
    return [image for image in images.values() if "points" in image]
