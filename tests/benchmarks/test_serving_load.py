"""The load test counts what it says, and both ways answer a small model."""

import json
import threading

import numpy as np
import pytest
import serving_load


def test_load_counts_requests_that_run_at_once():
    running, most, lock = [0], [0], threading.Lock()
    pause = threading.Event()

    def ask(number):
        with lock:
            running[0] += 1
            most[0] = max(most[0], running[0])
        pause.wait(0.01)
        with lock:
            running[0] -= 1

    found = serving_load.load(ask, 4, 0.3)
    assert 1 < most[0] <= 4
    assert found["requests"] >= 8
    assert found["percentile_99_ms"] >= 10
    assert found["requests_a_second"] <= 4 / 0.01


def test_requests_have_rows_of_different_coefficients():
    inputs = serving_load.requests_of({"distortion": (0.001, 0.1)}, 16, 5)(3)
    assert inputs["image"].shape == (5, 16, 16, 3)
    assert inputs["coefficients"].shape == (5, 1)
    assert len(np.unique(inputs["coefficients"])) == 5
    assert inputs["coefficients"].min() >= 0.001
    assert inputs["coefficients"].max() <= 0.1001


def test_both_ways_answer(release_folder, tmp_path, capsys):
    pytest.importorskip("tensorflow_serving.apis.predict_pb2")
    out = tmp_path / "load.json"
    options = ["--model", str(release_folder), "--side", "64", "--seconds", "0.5"]
    options += ["--clients", "1", "2", "--batches", "1", "2", "--results", str(out)]
    serving_load.main(options)
    results = json.loads(out.read_text())["results"]
    assert list(results) == ["the stand-in", "the C library"]
    for found in results.values():
        for batch in ("1", "2"):
            for clients in ("1", "2"):
                assert found[batch][clients]["requests"] > 0
    printed = capsys.readouterr().out
    assert "the C library: 2 pictures a request, 2 clients" in printed
