"""The demo as a web page: `yoto demo --web`.

It needs the extra `web`, and no network: no analytics, no fonts, no scripts from
elsewhere.
"""

import contextlib
import importlib.util
import os
import signal
import socket
import tempfile
import threading
from pathlib import Path

from yoto_tf import zoo
from yoto_tf.errors import YotoError

__all__ = ["launch", "load", "serve"]

HOST = "127.0.0.1"
PORT = 7860
UPLOAD_BYTES = 20 * 2**20
# The most bytes that the form around an uploaded file takes.
_FORM_BYTES = 2**14
# Seconds that requests which are being answered get when the page ends.
_LAST_ANSWERS = 30


def launch(host=HOST, port=PORT, allow_hosts=(), models=None):
    """Serves the page until the process is interrupted.

    Args:
        host: address to listen on; `"0.0.0.0"` for other machines to reach it.
        port: number from 1 to 65,535.
        allow_hosts: names under which the page is reached besides this machine's own,
            such as a proxy's.
        models: {name: what `yoto_tf.zoo.load` takes}; None for all that is pretrained.

    Raises:
        YotoError: Gradio is not installed, nothing is pretrained, or the address cannot
            be listened on.
    """
    _expect_gradio()
    _listen(host, port).close()  # says what is wrong before the models are loaded
    loaded = load(models)
    # SIGTERM, which service managers send, ends it as Ctrl-C does, so that the pictures
    # of users are deleted.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with (
        contextlib.suppress(KeyboardInterrupt),
        serve(loaded, None, host, port, allow_hosts, models is None) as url,
    ):
        print(f"{url} (Ctrl-C ends it)", flush=True)
        threading.Event().wait()


def load(models=None):
    """The models that a page shows.

    Args:
        models: {name: what `yoto_tf.zoo.load` takes}; None for all that is pretrained.

    Returns:
        {name: object of the zoo}.

    Raises:
        YotoError: Gradio is not installed, or nothing is pretrained.
    """
    _expect_gradio()
    loaded = {name: zoo.load(model) for name, model in (models or zoo.names()).items()}
    if not loaded:
        raise YotoError("the web demo shows pretrained models, and none is installed")
    return loaded


def _expect_gradio():
    if importlib.util.find_spec("gradio") is None:
        raise YotoError(
            "the web demo needs Gradio, which comes with the extra `web`: pip install "
            "'yoto_tf[web]', or '.[web]' in a checkout"
        )


@contextlib.contextmanager
def serve(
    models,
    example=None,
    host=HOST,
    port=PORT,
    allow_hosts=(),
    say_what_is_missing=True,
    root=None,
):
    """Serves the page while the context lasts; gives its URL.

    Args:
        models: {name: object of the zoo}.
        example: see `page.build`.
        host, port, allow_hosts: see `launch`; port 0 is any free one.
        say_what_is_missing: see `yoto_tf.demo.web.page.build`.
        root: the address under which a proxy shows the page, where it does not say so
            in its requests.

    Raises:
        YotoError: the address cannot be listened on.
    """
    with tempfile.TemporaryDirectory(prefix="yoto-web-") as folder:
        # Gradio reads them while it is imported and later; pictures of users are gone
        # with the folder.
        os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
        os.environ["GRADIO_TEMP_DIR"] = folder
        import fastapi
        import gradio

        from yoto_tf.demo.web.guard import Guard
        from yoto_tf.demo.web.page import CSS, THEME, build

        app = gradio.mount_gradio_app(
            fastapi.FastAPI(docs_url=None, redoc_url=None, openapi_url=None),
            build(models, example, say_what_is_missing),
            path="/",
            root_path=root,
            max_file_size=UPLOAD_BYTES,
            theme=THEME,
            css=CSS,
            footer_links=["api"],
            run_history=False,
            show_error=False,
            enable_monitoring=False,
            ssr_mode=False,
            mcp_server=False,
            pwa=False,
        )
        most = UPLOAD_BYTES + _FORM_BYTES
        guarded = Guard(app, host, allow_hosts, Path(folder), most)
        with _running(guarded, _listen(host, port)) as (host, port):
            yield f"http://{host}:{port}/"


@contextlib.contextmanager
def _running(app, listening):
    """Answers from a thread.

    Gradio's own `launch` gives up when the first answer takes over three seconds, as it
    does on a busy machine.
    """
    import uvicorn

    server = uvicorn.Server(
        uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=2)
    )
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    try:
        # Whoever asks before the server is up waits in the socket's queue.
        yield listening.getsockname()[:2]
    finally:
        server.should_exit = True
        # It waits for requests that are being answered. One that never ends must not
        # keep the process.
        thread.join(_LAST_ANSWERS)
        listening.close()


def _listen(host, port):
    """A socket that listens.

    Raises:
        YotoError: the address is taken, is not this machine's or is not an address.
    """
    try:
        return socket.create_server((host, port))
    except (OSError, OverflowError) as error:
        number = getattr(error, "errno", None) or 0
        # Names that do not exist give negative numbers, for which there is no text.
        reason = os.strerror(number) if number > 0 else error.args[-1]
        raise YotoError(f"cannot listen on {host}:{port}: {reason}") from error
