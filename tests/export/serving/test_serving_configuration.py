import pytest
from google.protobuf import text_format

from yoto_tf.errors import RecipeError
from yoto_tf.export.serving.configuration import (
    BATCHING,
    JOINING,
    compose,
    with_version,
)

official = pytest.importorskip(
    "tensorflow_serving.config.model_server_config_pb2",
    reason="needs tensorflow-serving-api: pip install 'yoto_tf[test]'",
)


def parsed(text):
    """{name: (versions loaded, labels)} as the official messages read it."""
    config = text_format.Parse(text, official.ModelServerConfig())
    return {
        model.name: (
            list(model.model_version_policy.specific.versions),
            dict(model.version_labels),
        )
        for model in config.model_config_list.config
    }


def test_the_first_version_is_stable():
    text = with_version("", "codec", 3)
    assert parsed(text) == {"codec": ([3], {"stable": 3})}
    assert 'base_path: "/serving/models/codec"' in text
    assert 'model_platform: "tensorflow"' in text


def test_stable_stays_when_versions_come():
    text = with_version(with_version("", "codec", 1), "codec", 2)
    assert parsed(text) == {"codec": ([1, 2], {"stable": 1})}
    # The newest and the stable one are loaded, no others.
    text = with_version(text, "codec", 3)
    assert parsed(text) == {"codec": ([1, 3], {"stable": 1})}


def test_an_older_version_does_not_unload_the_newest():
    text = with_version(with_version("", "codec", 5), "codec", 4)
    assert parsed(text) == {"codec": ([4, 5], {"stable": 5})}


def test_other_models_and_labels_are_kept():
    text = with_version(with_version("", "codec", 1), "vae", 1)
    text = text.replace(
        'version_labels {\n      key: "stable"',
        'version_labels {\n      key: "canary"\n      value: 1\n    }\n'
        '    version_labels {\n      key: "stable"',
        1,
    )
    text = with_version(text, "vae", 2)
    assert parsed(text) == {
        "codec": ([1], {"canary": 1, "stable": 1}),
        "vae": ([1, 2], {"stable": 1}),
    }


@pytest.mark.parametrize("text", ["model_config_list {", "custom_model_config {}"])
def test_a_file_that_would_be_damaged_is_left_alone(text):
    with pytest.raises(RecipeError, match="version 2 of codec by hand"):
        with_version(text, "codec", 2)


def test_batching_joins_and_pads_nothing():
    settings = [line for line in BATCHING.splitlines() if line and line[0] != "#"]
    assert settings == [
        "max_batch_size { value: 1 }",
        "batch_timeout_micros { value: 0 }",
        "pad_variable_length_inputs: false",
        "num_batch_threads { value: 2 }",
        "max_enqueued_batches { value: 16 }",
    ]


def test_batching_of_one_size_joins_requests():
    settings = [line for line in JOINING.splitlines() if line and line[0] != "#"]
    assert settings == [
        "max_batch_size { value: 16 }",
        "allowed_batch_sizes: 1",
        "allowed_batch_sizes: 2",
        "allowed_batch_sizes: 4",
        "allowed_batch_sizes: 8",
        "allowed_batch_sizes: 16",
        "batch_timeout_micros { value: 2000 }",
        "num_batch_threads { value: 2 }",
        "max_enqueued_batches { value: 64 }",
    ]


def test_only_a_server_for_one_size_is_told_to_join():
    flags = [
        "      - --enable_batching=true",
        "      - --batching_parameters_file=/serving/batching.config",
    ]
    joining, usual = compose(True).splitlines(), compose(False).splitlines()
    assert [line for line in joining if line not in usual] == flags
    assert [line for line in joining if line not in flags] == usual
