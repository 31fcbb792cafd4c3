"""What is exported of every model that has a release, as all of the zoo have."""

from yoto_tf import zoo
from yoto_tf.export.exportable import Exportable, Part
from yoto_tf.zoo.release_folder import write_release


def describe_release(model, endpoint, parts, endpoints, default, **others):
    """The `Exportable` of an object of the zoo.

    Args:
        model: the object.
        endpoint: the `Endpoint` of its network.
        parts, endpoints, default, **others: see `Exportable`.
    """
    release = model.release
    return Exportable(
        name=zoo.name_of(release),
        family=release.family,
        id=release.id.hex(),
        card=release.card,
        network=Part(endpoint, model.model.variables),
        parts=parts,
        endpoints=endpoints,
        default=default,
        write_keras=lambda folder: write_release(folder / "release", release),
        **others,
    )
