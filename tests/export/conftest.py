"""Small models and their SavedModels, each written once."""

import pytest
import small_models


@pytest.fixture(scope="session")
def model_of(photograph):
    """Function of a kind to the model, the same every time."""
    models = {}

    def get(kind):
        if kind not in models:
            models[kind] = small_models.of_kind(kind, photograph)
        return models[kind]

    return get


@pytest.fixture(scope="session")
def exported(model_of, tmp_path_factory):
    """Function of a kind to the folder of its SavedModel, or of another target."""
    from yoto_tf.export import export

    folders = {}

    def get(kind, target="saved-model", **sizes):
        if (kind, target) not in folders:
            folder = tmp_path_factory.mktemp(target) / kind
            export(model_of(kind), folder, target, **sizes)
            folders[kind, target] = folder
        return folders[kind, target]

    return get
