"""The demo's page in the output of a notebook's cell, on Colab or in Jupyter."""

import atexit
import contextlib
import html
import socket
import urllib.parse

from yoto_tf.demo.web import HOST, load, serve
from yoto_tf.errors import YotoError

_page = contextlib.ExitStack()
atexit.register(_page.close)


def show(models=None, height=1000):
    """Shows the page with sliders below a notebook's cell.

    It is served by the notebook's own process, to the browser that shows the notebook
    and to nobody else, until that process ends or `show` is called again: on Colab, or
    where the browser runs on the same machine as the notebook.

    Args:
        models: {name: what `yoto_tf.zoo.load` takes}; None for all that is pretrained.
        height: of the page, in pixels.

    Raises:
        YotoError: this is no notebook, Gradio is not installed or nothing is
            pretrained.
    """
    try:
        from IPython import get_ipython
        from IPython.display import HTML, display
    except ImportError:
        get_ipython = None
    if get_ipython is None or get_ipython() is None:
        raise YotoError("show() is for notebooks; elsewhere run: yoto demo --web")
    loaded = load(models)
    _page.close()
    port = _free_port()
    public = _public_address(port)
    served = _page.enter_context(
        serve(
            loaded,
            port=port,
            allow_hosts=[urllib.parse.urlsplit(public).netloc] if public else [],
            say_what_is_missing=models is None,
            root=public,
        )
    )
    address = html.escape(public or served)
    display(
        HTML(
            f'<div><iframe src="{address}" width="100%" height="{int(height)}" '
            'allow="camera; clipboard-read; clipboard-write" '
            'style="border: 0"></iframe></div>'
        )
    )


def _free_port():
    with socket.create_server((HOST, 0)) as server:
        return server.getsockname()[1]


def _public_address(port):
    """The address under which Colab shows a port of its machine; None elsewhere."""
    try:
        from google.colab import output
    except ImportError:
        return None
    return output.eval_js(f"google.colab.kernel.proxyPort({port})")
