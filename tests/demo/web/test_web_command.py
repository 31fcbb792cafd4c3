"""`yoto demo --web`"""

import importlib.machinery
import os
import socket
import subprocess
import sys
import types
import urllib.request

import pytest

from yoto_tf.cli import main
from yoto_tf.zoo import families


@pytest.fixture
def gradio_is_there(monkeypatch):
    """As far as the command looks at it."""
    gradio = types.ModuleType("gradio")
    gradio.__spec__ = importlib.machinery.ModuleSpec("gradio", None)
    monkeypatch.setitem(sys.modules, "gradio", gradio)


def test_command_without_the_extra(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "gradio", None)
    assert main(["demo", "--web"]) == 2
    line = capsys.readouterr().err
    assert line.startswith("yoto: the web demo needs Gradio")
    assert "pip install 'yoto_tf[web]'" in line
    assert line.count("\n") == 1


def test_command_without_a_model(monkeypatch, tmp_path, capsys, gradio_is_there):
    monkeypatch.setattr(families, "released_folder", lambda family: tmp_path)
    assert main(["demo", "--web", "--port", "0"]) == 2
    assert "none is installed" in capsys.readouterr().err


def test_command_with_a_port_in_use(capsys, gradio_is_there):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert main(["demo", "--web", "--port", str(port)]) == 2
    line = f"yoto: cannot listen on 127.0.0.1:{port}: Address already in use\n"
    assert capsys.readouterr().err == line


@pytest.mark.parametrize(
    "arguments", [["--port", "70000"], ["--host", "no.such.host.invalid"]]
)
def test_command_with_an_impossible_address(arguments, capsys, gradio_is_there):
    assert main(["demo", "--web", *arguments]) == 2
    error = capsys.readouterr().err
    assert error.startswith("yoto: cannot listen on ")
    assert error.count("\n") == 1


def test_address_without_the_page(capsys):
    assert main(["demo", "--port", "8000"]) == 2
    assert capsys.readouterr().err == "yoto: --port goes with --web\n"


def test_command_serves_until_it_is_ended(tmp_path, free_port):
    port = free_port()
    pytest.importorskip("gradio", reason="the extra `web` is not installed")
    command = [sys.executable, "-c", "from yoto_tf.cli import main; exit(main())"]
    process = subprocess.Popen(
        [*command, "demo", "--web", "--port", str(port)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    try:
        line = process.stdout.readline()
        assert line == f"http://127.0.0.1:{port}/ (Ctrl-C ends it)\n"
        assert b"You Only Train Once" in urllib.request.urlopen(line.split()[0]).read()
        assert list(tmp_path.iterdir())
        process.terminate()
        assert process.wait(60) == 0
        assert list(tmp_path.iterdir()) == []
    finally:
        process.kill()
        process.communicate()
