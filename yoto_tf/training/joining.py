"""How a process joins the others of a training on JAX."""

import contextlib
import json
import os
import secrets
import signal
import socket
import threading

from yoto_tf.errors import RecipeError

# Set for the process that trains: the descriptor of its link to the supervisor, and the
# port where the supervisors of the other processes can reach that one, 0 where they
# know it.
SUPERVISOR = "YOTO_SUPERVISOR"
# How long processes wait for each other at the start: people start them by hand.
PATIENCE_SECONDS = 300
# Exit status where another process may be to blame: an error of what they do together.
MAYBE_ANOTHER = 71


def join(coordinator, processes, process):
    """Connects this process to the others, before JAX has computed anything.

    Args:
        coordinator: `HOST:PORT` of the first process; or `"auto"` for what the
            environment says of a cluster (Slurm, MPI, Kubernetes, Cloud TPU), see
            `jax.distributed.initialize`.
        processes: how many processes there are; None with `"auto"`.
        process: the number of this one, from 0; None with `"auto"`.

    Raises:
        RecipeError: the others cannot be reached, or the environment says nothing.
    """
    import jax
    import numpy as np

    # What processes on CPUs exchange arrays by. Some versions know no other way.
    with contextlib.suppress(AttributeError, ValueError):
        jax.config.update("jax_cpu_collectives_implementation", "gloo")
    address = None if coordinator == "auto" else coordinator
    # Where supervisors have met, they know who is missing: it is left to them.
    patience = PATIENCE_SECONDS if address is None else 3 * PATIENCE_SECONDS
    supervisor = _supervisor()
    # JAX lets no handler of Python's run while it waits.
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        jax.distributed.initialize(
            address, processes, process, initialization_timeout=patience
        )
    except (RuntimeError, ValueError, KeyError) as error:
        reason = " ".join(str(error).split())
        where = "this cluster" if address is None else coordinator
        raise RecipeError(f"cannot join the processes of {where}: {reason}") from error
    finally:
        signal.signal(signal.SIGINT, before)
    # JAX catches it, and leaves it at that.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if supervisor and supervisor[1]:
        from jax._src.distributed import global_state
        from jax.experimental import multihost_utils

        link, port = supervisor
        meeting = np.array([port, secrets.randbits(31)], "int32")
        port, token = multihost_utils.broadcast_one_to_all(meeting).tolist()
        host = global_state.coordinator_address.rpartition(":")[0].strip("[]")
        facts = {
            "process": jax.process_index(),
            "processes": jax.process_count(),
            "meeting": [host, port],
            "token": token,
        }
        link.sendall(json.dumps(facts).encode() + b"\n")


def _supervisor():
    """The link to the supervisor, with which this process ends, and its port.

    None where there is none.
    """
    if SUPERVISOR not in os.environ:
        return None
    descriptor, port = map(int, os.environ[SUPERVISOR].split(","))
    link = socket.socket(fileno=descriptor)

    def end_with_it():
        link.recv(1)
        os._exit(1)

    threading.Thread(target=end_with_it, daemon=True).start()
    return link, port


@contextlib.contextmanager
def blames_others():
    """Ends the process with a status of its own where an exchange with others fails."""
    import traceback

    import jax

    try:
        yield
    except jax.errors.JaxRuntimeError:
        if jax.process_count() == 1 or SUPERVISOR not in os.environ:
            raise
        traceback.print_exc()
        # JAX would wait for the others when Python ends.
        os._exit(MAYBE_ANOTHER)


def tell_end(status):
    """Tells the supervisor how the training ended: what JAX does after that may hang.

    Args:
        status: the exit status that this process is about to end with.
    """
    descriptor, _ = map(int, os.environ[SUPERVISOR].split(","))
    os.write(descriptor, json.dumps({"ended": status}).encode() + b"\n")
