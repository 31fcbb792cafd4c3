"""The page below a notebook's cell."""

import re
import sys
import types
import urllib.error
import urllib.request

import IPython
import pytest

import yoto_tf.demo
from yoto_tf.demo import notebook
from yoto_tf.errors import YotoError

pytest.importorskip("gradio", reason="the extra `web` is not installed")


@pytest.fixture
def cell(monkeypatch):
    """Takes a notebook's place: the HTML of what its cells show."""
    shown = []
    monkeypatch.setattr(IPython, "get_ipython", object)
    monkeypatch.setattr("IPython.display.display", lambda shows: shown.append(shows))
    yield lambda: [shows.data for shows in shown]
    notebook._page.close()


def address(html):
    return re.search(r'<iframe src="([^"]+)"', html)[1]


def get(url, **headers):
    request = urllib.request.Request(url, headers=headers)
    return urllib.request.urlopen(request).read().decode()


def test_a_page_is_served_until_the_next(cell, release_folder):
    yoto_tf.demo.show({"codec": release_folder}, height=700)
    [html] = cell()
    assert 'height="700"' in html
    assert address(html).startswith("http://127.0.0.1:")
    assert "You Only Train Once" in get(address(html))
    yoto_tf.demo.show({"codec": release_folder})
    _, second = cell()
    assert "You Only Train Once" in get(address(second))
    with pytest.raises(urllib.error.URLError, match="refused"):
        get(address(html))


def test_on_colab_the_page_has_the_proxy_s_address(cell, release_folder, monkeypatch):
    ports = []

    def proxy(script):
        [port] = re.fullmatch(
            r"google\.colab\.kernel\.proxyPort\((\d+)\)", script
        ).groups()
        ports.append(port)
        return f"https://abc-{port}-colab.example.com/"

    colab = types.ModuleType("google.colab")
    colab.output = types.SimpleNamespace(eval_js=proxy)
    monkeypatch.setitem(sys.modules, "google.colab", colab)
    yoto_tf.demo.show({"codec": release_folder})
    [html], [port] = cell(), ports
    name = f"abc-{port}-colab.example.com"
    assert address(html) == f"https://{name}/"
    here = f"http://127.0.0.1:{port}/"
    # The page asks where it was told that it is, and the proxy hands it on.
    config = get(f"{here}config", Host=name, Origin=f"https://{name}")
    assert f'"root":"https://{name}"' in config
    with pytest.raises(urllib.error.HTTPError, match="403"):
        get(f"{here}config", Host=name, Origin="https://elsewhere.example.com")
    with pytest.raises(urllib.error.HTTPError, match="421"):
        get(here, Host="elsewhere.example.com")


def test_outside_a_notebook(release_folder):
    with pytest.raises(YotoError, match="elsewhere run: yoto demo --web"):
        yoto_tf.demo.show({"codec": release_folder})


def test_without_the_extra(cell, release_folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "gradio", None)
    with pytest.raises(YotoError, match="the web demo needs Gradio"):
        yoto_tf.demo.show({"codec": release_folder})
