from pathlib import Path

import numpy as np
import pytest
from keras import ops

from yoto_tf.machine.compilation import (
    SHAPES,
    compiled,
    is_local_inference,
    run_once,
)


def test_what_is_traced_knows_that_it_is_local_inference():
    seen = []

    @compiled
    def doubled(tensor):
        seen.append(is_local_inference())
        return 2 * tensor

    assert float(doubled(ops.convert_to_tensor(3.0))) == 6
    assert seen == [True]
    assert not is_local_inference()


def test_an_error_in_a_trace_leaves_nothing_behind():
    @compiled
    def broken(tensor):
        raise ArithmeticError

    with pytest.raises(ArithmeticError):
        broken(ops.convert_to_tensor(3.0))
    assert not is_local_inference()


def test_jax_keeps_the_last_shapes_only(saved_on_jax):
    """Each is compiled once while it is kept; the first was not kept to the end."""
    script = Path(__file__).with_name("many_shapes_on_jax.py")
    saved = saved_on_jax(script)
    np.testing.assert_array_equal(saved["answers"], saved["sizes"])
    assert saved["traces"] == SHAPES + 3 + 1


def test_what_runs_once_is_not_compiled():
    ran = []

    def function(x):
        ran.append(x)
        return x + 1

    call, one = compiled(function), ops.convert_to_tensor([1.0])
    with run_once():
        for _ in range(2):
            assert ops.convert_to_numpy(call(one)).tolist() == [2.0]
    assert len(ran) == 2
    with run_once(pixels=2**27):
        for _ in range(2):
            call(one)
    call(one)
    assert len(ran) == 3
