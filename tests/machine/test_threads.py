import os
import subprocess
import sys

import pytest

from yoto_tf.machine import threads
from yoto_tf.machine.threads import limit_threads, num_threads

# What the limit says, and with how many threads NumPy's BLAS goes to work.
PROGRAM = """
from yoto_tf.machine.threads import limit_threads, num_threads
limit_threads(1)
import numpy, threadpoolctl
pools = threadpoolctl.threadpool_info()
print(num_threads(4), {pool["num_threads"] for pool in pools} <= {1})
"""


@pytest.fixture(autouse=True)
def restored(monkeypatch):
    monkeypatch.setattr(threads, "_limit", None)
    monkeypatch.setattr(os, "environ", dict(os.environ))


def test_a_limit_is_kept_by_us_and_by_numpy():
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True
    )
    assert done.stdout == "1 True\n", done.stderr


def test_tensorflow_reads_the_limit_from_the_environment():
    assert num_threads(4) == 4
    limit_threads(3)
    assert num_threads(4) == 3
    assert num_threads(2) == 2
    assert os.environ["TF_NUM_INTRAOP_THREADS"] == "3"
    assert os.environ["TF_NUM_INTEROP_THREADS"] == "3"


# How many threads JAX has begun.
ON_JAX = """
import os, sys
from yoto_tf.machine.threads import limit_threads
limit_threads(int(sys.argv[1]))
import jax.numpy
jax.numpy.ones(4).sum().block_until_ready()
print(len(os.listdir("/proc/self/task")))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="threads are counted in /proc")
def test_jax_begins_no_more_threads():
    pytest.importorskip("jax", reason="JAX is not installed")

    def begun(limit):
        return int(
            subprocess.check_output(
                [sys.executable, "-c", ON_JAX, str(limit)],
                env={**os.environ, "JAX_PLATFORMS": "cpu"},
            )
        )

    assert begun(6) >= begun(1) + 5
