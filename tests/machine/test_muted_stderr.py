import os
import sys

import pytest

from yoto_tf.machine.muted_stderr import muted_stderr


def test_nothing_is_heard_within(capfd):
    os.write(2, b"before ")
    with muted_stderr():
        os.write(2, b"noise ")
    os.write(2, b"after")
    assert capfd.readouterr().err == "before after"


@pytest.mark.parametrize(("unless_raised", "heard"), [(False, ""), (True, "reason")])
def test_noise_before_an_exception(unless_raised, heard, capfd):
    with pytest.raises(ImportError), muted_stderr(unless_raised):
        raise ImportError(os.write(2, b"reason"))
    assert capfd.readouterr().err == heard


def test_a_process_without_standard_error(monkeypatch):
    monkeypatch.setattr(sys, "__stderr__", None)
    with muted_stderr():
        pass
