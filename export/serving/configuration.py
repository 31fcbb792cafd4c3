"""The configuration files of a serving folder."""

from google.protobuf import text_format

from yoto_tf.errors import RecipeError
from yoto_tf.export.serving import messages

# Where docker-compose.yaml mounts the folder.
MOUNT = "/serving"

_MODELS_HEADER = """\
# What tensorflow_model_server loads. `yoto export --target serving` adds versions here.
#
# The versions under `specific` are loaded: the newest, which answers requests that name
# no version, and the one called stable. To make another version stable, change
# its number under version_labels (and list it); to go back, change it again. A running
# server reads this file anew every minute.
"""

BATCHING = """\
# For --enable_batching=true --batching_parameters_file=/serving/batching.config, which
# docker-compose.yaml leaves out: a model of pictures of any size gains nothing from it.
#
# Batching joins requests along their first dimension. All other dimensions must be
# equal, or every request that was joined fails. The inputs of a request must have equal
# first dimensions too, so one vector of coefficients cannot serve a whole batch. Hence

# no joining: two pictures of different sizes never meet in a batch;
max_batch_size { value: 1 }

# no waiting for others to join;
batch_timeout_micros { value: 0 }

# no padding to the largest size in the batch, which would change pictures at their
# edges, and no allowed_batch_sizes, which would compute pictures that nobody asked for.
pad_variable_length_inputs: false

# The other two settings make a queue that bounds the memory: how many pictures are
# computed at a time (one of 12 megapixels takes gigabytes inside the codec), and how
# many wait. The next one is refused at once. A request must then hold one picture only.
num_batch_threads { value: 2 }
max_enqueued_batches { value: 16 }
"""

# How many pictures a server computes at once, at most.
MOST_JOINED = 16

JOINING = f"""\
# Read by the server of docker-compose.yaml, which joins requests for pictures of the
# one size that this model was exported for. It holds for every model of the server:
# serve models for pictures of any size from another folder.
#
# Every input has a row for each picture, coefficients too, so that requests with other
# coefficients are joined as well. A request may hold several pictures itself. No batch
# has more than

max_batch_size {{ value: {MOST_JOINED} }}

# to the next of which a batch is filled up, so that graphs are run with few shapes:
allowed_batch_sizes: 1
allowed_batch_sizes: 2
allowed_batch_sizes: 4
allowed_batch_sizes: 8
allowed_batch_sizes: {MOST_JOINED}

# how long the first request waits for others: little against what a batch takes;
batch_timeout_micros {{ value: 2000 }}

# as many batches as the server is to compute beside each other, and as many as wait in
# a queue before the next one is refused.
num_batch_threads {{ value: 2 }}
max_enqueued_batches {{ value: 64 }}
"""

# What docker-compose.yaml says besides for it.
_BATCHING_FLAGS = f"""\
      - --enable_batching=true
      - --batching_parameters_file={MOUNT}/batching.config
"""

_COMPOSE = f"""\
services:
  serving:
    image: tensorflow/serving:2.17.0
    command:
      - --model_config_file={MOUNT}/models.config
      - --model_config_file_poll_wait_seconds=60
      # Without this a server that starts refuses labels of versions not loaded yet.
      - --allow_version_labels_for_unavailable_models=true
{{batching}}    volumes:
      # The folder, not its files: a file that changes is replaced by a new one.
      - .:{MOUNT}:ro
    # There is no password: whoever reaches these ports may use and exhaust the server.
    ports:
      - 127.0.0.1:8500:8500 # gRPC
      - 127.0.0.1:8501:8501 # REST
    restart: unless-stopped
"""


def compose(joins):
    """The content of docker-compose.yaml.

    Args:
        joins: whether the server joins requests as `JOINING` says.
    """
    return _COMPOSE.format(batching=_BATCHING_FLAGS if joins else "")


README = """\
# Models for TensorFlow Serving

    docker compose up

serves every model of `models.config` on this machine: gRPC on localhost:8500, REST on
localhost:8501.

    from yoto_tf.export.serving import Client
    client = Client("localhost:8500", name={name!r})
    print(client.signatures())

| file | what it is |
| --- | --- |
| `models/NAME/VERSION/` | SavedModels; a version never changes |
| `models.config` | which versions are loaded, and which of them is called stable |
| `batching.config` | how requests are joined, or could be queued |
| `docker-compose.yaml` | the server |
"""


def with_version(text, name, version):
    """The content of models.config with a further version.

    The version is loaded from now on; `stable` stays where it is.

    Args:
        text: what the file holds, empty for a new one.
        name: of the model.
        version: int.

    Raises:
        RecipeError: a file that cannot be parsed, whose content would be lost.
    """
    try:
        config = text_format.Parse(text, messages.ModelServerConfig())
    except text_format.ParseError as error:
        raise RecipeError(
            f"models.config holds what yoto_tf does not write ({error}), add version "
            f"{version} of {name} by hand"
        ) from error
    models = config.model_config_list.config
    model = next((model for model in models if model.name == name), None)
    if model is None:
        model = models.add(
            name=name, base_path=f"{MOUNT}/models/{name}", model_platform="tensorflow"
        )
        model.version_labels["stable"] = version
    loaded = model.model_version_policy.specific
    loaded.versions[:] = sorted({version, *model.version_labels.values()})
    return _MODELS_HEADER + text_format.MessageToString(config)
