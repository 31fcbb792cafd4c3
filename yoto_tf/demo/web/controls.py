"""What the tabs of the page share: picture inputs, events, messages.

Nothing here is kept between two requests: every event carries its picture and its
sliders, so that users do not meet.
"""

import contextlib
import functools
import html
import os

import gradio as gr

from yoto_tf.errors import YotoError

# Events of all users that run at a time. One alone keeps two cores busy most of the
# time; the second codes and decodes files while the first is in the network.
AT_A_TIME = 2
NO_PICTURE = "Choose a picture first."


def picture_input(value, sources, label="Your picture"):
    """Adds a component for a picture; events get the uploaded file's path, or None.

    Args:
        value: uint8 [H, W, 3] to begin with, or None.
        sources: some of "upload", "clipboard" and "webcam".
        label: shown above it.
    """
    picture = gr.Image(
        value,
        format="png",
        type="filepath",
        sources=sources,
        label=label,
        alt_text=label,
        height=260,
        buttons=[],
        elem_classes="picture",
    )
    # Gradio's own function opens the file, and ends in a stack trace if it is not a
    # picture. It is replaced here, since a subclass would make Gradio write a .pyi file
    # beside this one.
    picture.preprocess = functools.partial(_path_of, picture.GRADIO_CACHE)
    return picture


def refuse_foreign_files(page):
    """Makes every component accept only files that were uploaded or computed here.

    Gradio looks at paths only after its own `launch`, and fetches what begins with
    http:// for whoever asks. Each component copies what it is given into the folder
    that is served, also one that expects a number.

    Args:
        page: a `gradio.Blocks`, built.
    """
    for block in page.blocks.values():
        if hasattr(block, "async_move_resource_to_block_cache"):
            _guard(block)


def _guard(block):
    copy, copy_async = (
        block.move_resource_to_block_cache,
        block.async_move_resource_to_block_cache,
    )

    def checked(path):
        return copy(_own(block.GRADIO_CACHE, path))

    async def checked_async(path):
        return await copy_async(_own(block.GRADIO_CACHE, path))

    block.move_resource_to_block_cache = checked
    block.async_move_resource_to_block_cache = checked_async


def _own(folder, path):
    """A path, if it is below the folder of the page's pictures.

    Raises:
        gr.Error: it is not, or is an address.
    """
    if path is None:
        return None
    if not os.path.realpath(path).startswith(os.path.realpath(folder) + os.sep):
        raise gr.Error("Upload a picture first.", print_exception=False)
    return path


def _path_of(folder, upload):
    if upload is None:
        return None
    path = _own(folder, upload.path)
    # A picture that is being worked on is not deleted as an old one.
    with contextlib.suppress(OSError):
        os.utime(path)
    return path


def on_change(components, function, inputs, outputs, name):
    """Calls a function whenever the user changes a component, with the latest values.

    While it runs, further changes are not queued one by one: only the last one is.

    Args:
        components: those the user changes.
        function, inputs, outputs: as for any event.
        name: of the endpoint for programs, in which `-` becomes `_`.
    """
    triggers = [component.input for component in components]
    _listen(triggers, function, inputs, outputs, name)


def on_click(button, function, inputs, outputs, name):
    """Calls a function whenever the user presses a button; see `on_change`."""
    _listen([button.click], function, inputs, outputs, name)


def on_select(gallery, function, inputs, outputs, name):
    """Calls a function whenever the user clicks a picture of a gallery.

    Its first parameter, annotated so, gets a `gr.SelectData`; see `on_change`.
    """
    _listen([gallery.select], function, inputs, outputs, name)


def _listen(triggers, function, inputs, outputs, name):
    gr.on(
        triggers,
        function,
        inputs,
        outputs,
        api_name=name.replace("-", "_"),
        trigger_mode="always_last",
        show_progress="hidden",
        concurrency_limit=AT_A_TIME,
        concurrency_id="network",
    )


def answers(function):
    """Turns what users do wrong into a message of one line on their page."""

    @functools.wraps(function)
    def call(*arguments):
        try:
            return function(*arguments)
        except YotoError as error:
            message = html.escape(str(error), quote=False)
            raise gr.Error(
                message, title="Sorry", print_exception=False, duration=10
            ) from error

    return call
