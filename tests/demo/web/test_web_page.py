"""The page over HTTP, as a program uses it."""

import json
import socket
import time
import urllib.error
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from yoto_tf import zoo
from yoto_tf.data import read_image

gradio_client = pytest.importorskip(
    "gradio_client", reason="the extra `web` is not installed"
)


@pytest.fixture
def client(address, tmp_path):
    return gradio_client.Client(address, verbose=False, download_files=tmp_path)


@pytest.fixture
def uploaded(photograph, tmp_path):
    """Saves a picture, and returns it in the form that a client sends."""

    def upload(name, image=photograph[100:180, 200:290]):
        path = tmp_path / name
        if isinstance(image, str):
            path.write_text(image)
        else:
            Image.fromarray(image).save(path)
        return gradio_client.handle_file(str(path))

    return upload


def test_codec(client, uploaded, untrained_codec, photograph):
    wipe, other, numbers, file, note = client.predict(
        uploaded("a.png"), 0.7, "WebP", api_name="/codec"
    )
    wipe, other = wipe["value"], other["value"]
    image = photograph[100:180, 200:290]
    np.testing.assert_array_equal(read_image(wipe[0]), image)
    np.testing.assert_array_equal(
        read_image(wipe[1]), untrained_codec.reconstruct(image, quality=0.7)
    )
    np.testing.assert_array_equal(read_image(other[0]), image)
    assert Path(file).read_bytes() == untrained_codec.compress(image, quality=0.7)
    assert f"{Path(file).stat().st_size:,}" in numbers
    assert note == ""


def test_stylizer(client, uploaded, stylizer, photograph):
    dials = [0, -1, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5]
    picture, text, _ = client.predict(
        uploaded("a.png"), *dials, api_name="/stylization"
    )
    expected = stylizer.stylize(photograph[100:180, 200:290], "great_wave")
    np.testing.assert_array_equal(read_image(picture), expected)
    assert "yoto stylize" in text


def test_random_style_moves_the_sliders(client, uploaded):
    first, second, _, _, *dials, picture, _, _ = client.predict(
        uploaded("a.png"), 0.5, api_name="/stylization_random"
    )
    assert second == -1
    assert len(dials) == 5
    sliders = [first, second, 0.5, *dials]
    again, *_ = client.predict(uploaded("a.png"), *sliders, api_name="/stylization")
    np.testing.assert_array_equal(read_image(picture), read_image(again))


@pytest.mark.parametrize("name", ["vae_colour", "vae_grey"])
def test_vae(client, uploaded, name):
    low, high = (
        client.predict(uploaded("a.png"), log_kl, 3, api_name=f"/{name}")
        for log_kl in (-3, 9)
    )
    assert "β = 0.125" in low[3]
    assert "β = 512" in high[3]
    # Pictures over the whole range are the same wherever the slider is.
    assert (read_image(low[2]) == read_image(high[2])).all()
    for a, b in zip(low[:2], high[:2], strict=True):
        assert (read_image(a) != read_image(b)).any()


def test_two_pages_of_one_process_do_not_meet(
    uploaded, untrained_codec, photograph, tmp_path
):
    from yoto_tf.demo.web import serve

    models = {"codec": untrained_codec}
    image = photograph[100:180, 200:290]
    with (
        serve(models, photograph[::4, ::4], port=0) as first,
        serve(models, photograph[::4, ::4], port=0) as second,
    ):
        for address in (first, second):
            page = gradio_client.Client(address, verbose=False, download_files=tmp_path)
            wipe, *_ = page.predict(uploaded("a.png"), 0.7, "WebP", api_name="/codec")
            np.testing.assert_array_equal(read_image(wipe["value"][0]), image)


def test_large_picture_is_scaled_down_with_a_word(client, uploaded, photograph):
    large = photograph.repeat(2, axis=0).repeat(2, axis=1)
    wipe, _, _, _, note = client.predict(
        uploaded("large.png", large), 0.2, "JPEG", api_name="/codec"
    )
    assert "Scaled down from 1024 × 1200 to " in note
    wipe = wipe["value"]
    height, width = read_image(wipe[0]).shape[:2]
    assert 0.99 * 2**20 < height * width <= 2**20
    assert read_image(wipe[1]).shape == (height, width, 3)


def test_text_as_a_picture_is_a_message_of_one_line(client, uploaded, capfd):
    for endpoint, numbers in (
        ("/codec", [0.5, "AVIF"]),
        ("/stylization", [0, -1, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5]),
        ("/vae_colour", [0, 0]),
    ):
        letter = uploaded("holiday.jpg", "Dear Sir or Madam,\n")
        with pytest.raises(gradio_client.exceptions.AppError) as raised:
            client.predict(letter, *numbers, api_name=endpoint)
        assert "cannot read holiday.jpg: not a picture" in str(raised.value)
        assert "\n" not in str(raised.value)
    assert "Traceback" not in "".join(capfd.readouterr())


@pytest.mark.parametrize("styles", [(2, -1), (-1, 0), (0, 9), (0, -2)])
def test_a_style_that_is_none_is_a_message(client, uploaded, styles):
    numbers = [*styles, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5]
    with pytest.raises(gradio_client.exceptions.AppError, match="places from 0 to 1"):
        client.predict(uploaded("a.png"), *numbers, api_name="/stylization")


def test_no_picture(client):
    answer = client.predict(None, 0.5, "JPEG", api_name="/codec")
    assert answer == (None, None, "", None, "Choose a picture first.")
    answer = client.predict(
        None, 0, -1, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, api_name="/stylization"
    )
    assert answer == (None, "", "Choose a picture first.")


def test_users_at_the_same_time_get_their_own(
    address, uploaded, untrained_codec, photograph, tmp_path
):
    def use(number):
        image = photograph[20 * number :, 10 * number :][:64, : 70 + number]
        client = gradio_client.Client(address, verbose=False, download_files=tmp_path)
        sent = uploaded(f"{number}.png", image)
        wipe, *_ = client.predict(sent, number / 10, "JPEG", api_name="/codec")
        return image, read_image(wipe["value"][1])

    with ThreadPoolExecutor(6) as pool:
        results = list(pool.map(use, range(6)))
    for number, (image, decoded) in enumerate(results):
        np.testing.assert_array_equal(
            decoded, untrained_codec.reconstruct(image, quality=number / 10)
        )


def test_upload_over_the_limit(address):
    body = (
        b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.png"\r\n'
        b"Content-Type: image/png\r\n\r\n" + bytes(21 * 2**20) + b"\r\n--x--\r\n"
    )
    request = urllib.request.Request(
        f"{address}gradio_api/upload",
        body,
        {"Content-Type": "multipart/form-data; boundary=x"},
    )
    with pytest.raises(urllib.error.HTTPError) as raised:
        urllib.request.urlopen(request)
    assert raised.value.code == 413


def test_files_of_the_server_stay_there(address):
    for path in ("/etc/passwd", zoo.__file__):
        with pytest.raises(urllib.error.HTTPError) as raised:
            urllib.request.urlopen(f"{address}gradio_api/file={path}")
        assert raised.value.code == 403


def test_listens_on_the_loopback(address):
    port = urllib.parse.urlparse(address).port
    socket.create_connection(("127.0.0.1", port), 5).close()
    # Another address of this machine: whoever listens on all of them has it too.
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.2", port), 5)


def test_no_telemetry(address):
    with urllib.request.urlopen(f"{address}config") as answer:
        config = json.load(answer)
    assert config["analytics_enabled"] is False


def test_family_without_a_model_is_left_out(untrained_codec, photograph):
    from yoto_tf.demo.web.page import build

    page = build({"codec": untrained_codec}, photograph[:80, :80])
    components = page.get_config_file()["components"]
    tabs = [c["props"]["label"] for c in components if c["type"] == "tabitem"]
    assert tabs == ["Codec"]
    texts = [c["props"].get("value", "") for c in components]
    for title in ("Style", "VAE"):
        assert any(f"The tab {title} is left out" in str(text) for text in texts)
    assert not any("The tab Codec" in str(text) for text in texts)


def test_old_pictures_are_deleted(untrained_codec, photograph, uploaded, monkeypatch):
    from yoto_tf.demo.web import page, serve

    monkeypatch.setattr(page, "KEPT", 4)
    models = {"codec": untrained_codec}
    with serve(models, photograph[:80, :80], port=0) as url:
        config = json.load(urllib.request.urlopen(f"{url}config"))
        [first] = [c for c in config["components"] if c["type"] == "image"]
        first = first["props"]["value"]["path"]
        client = gradio_client.Client(url, verbose=False, download_files=False)
        wipe, *_ = client.predict(uploaded("a.png"), 0.5, "JPEG", api_name="/codec")
        made = [picture["path"] for picture in wipe["value"]]
        folder = Path(first).parent.parent
        assert all(Path(path).exists() for path in [first, *made])
        for _ in range(100):
            if not any(Path(path).exists() for path in made):
                break
            time.sleep(0.2)
        else:
            pytest.fail("the pictures of a user are kept")
        assert Path(first).exists()
    assert not folder.exists()
