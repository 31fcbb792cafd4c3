// Pictures from a source, through the network, onto the page.

import { closeCamera, openCamera, pixelsOf } from "./camera.js";
import { load, stylize } from "./network.js";
import { onFile, openPicture, save } from "./pictures.js";
import { draw, onChange, settings } from "./settings.js";

const DEVICES = { webgl: "the graphics processor", wasm: "the processor" };
const element = (id) => document.getElementById(id);
const canvas = element("result");
const status = element("status");
const camera = element("camera");
const compare = element("compare");

// An ImageBitmap or the video of a camera.
let source;
let backend;
let painting = false;
let outdated = false;

function say(text, wrong = false) {
  // Nobody wants every frame of a camera read out.
  status.ariaLive = pressed(camera) && !wrong ? "off" : "polite";
  status.textContent = text;
  status.classList.toggle("wrong", wrong);
}

function pressed(button) {
  return button.getAttribute("aria-pressed") === "true";
}

function press(button, down) {
  button.setAttribute("aria-pressed", down);
}

function show(image) {
  canvas.width = image.width;
  canvas.height = image.height;
  canvas.getContext("2d").putImageData(image, 0, 0);
}

// Paints until nothing has changed; while it does, only the last change waits.
async function paint() {
  outdated = true;
  if (painting) return;
  painting = true;
  try {
    while (source && (outdated || pressed(camera))) {
      outdated = false;
      await paintOnce();
    }
  } catch (error) {
    say(error.message, true);
  } finally {
    painting = false;
  }
}

async function paintOnce() {
  const began = performance.now();
  const original = pixelsOf(source, Number(element("size").value));
  if (!backend || pressed(compare)) {
    show(original);
    await new Promise(requestAnimationFrame);
    return;
  }
  const { style, coefficients } = settings();
  const { image } = await stylize(original, style, coefficients);
  show(image);
  const milliseconds = performance.now() - began;
  // For who measures it.
  canvas.dataset.pictures = Number(canvas.dataset.pictures ?? 0) + 1;
  performance.mark("picture");
  const rate = pressed(camera)
    ? `, ${(1000 / milliseconds).toFixed(1)} pictures a second`
    : "";
  say(
    `${image.width} × ${image.height} pixels in ${Math.round(milliseconds)} ms ` +
      `on ${DEVICES[backend]}${rate}`,
  );
}

async function open(file) {
  try {
    const picture = await openPicture(file, file.name ?? "The photograph");
    stopCamera();
    source = picture;
    paint();
  } catch (error) {
    say(error.message, true);
  }
}

async function startCamera() {
  try {
    camera.disabled = true;
    source = await openCamera();
    press(camera, true);
    // Larger ones hardly move without a graphics processor.
    if (element("size").value > 256) element("size").value = 256;
    paint();
  } catch (error) {
    say(error.message, true);
  } finally {
    camera.disabled = false;
  }
}

// Its last picture stays.
async function stopCamera() {
  if (!pressed(camera)) return;
  press(camera, false);
  const video = source;
  source = null;
  const picture = await createImageBitmap(video).catch(() => null);
  closeCamera(video);
  source ??= picture;
  paint();
}

function listen() {
  onChange(paint);
  onFile(element("file"), document.querySelector(".frame"), open);
  camera.addEventListener("click", () =>
    pressed(camera) ? stopCamera() : startCamera(),
  );
  compare.addEventListener("click", () => {
    press(compare, !pressed(compare));
    paint();
  });
  element("save").addEventListener("click", () =>
    canvas.toBlob((blob) => save(blob, "painting.png")),
  );
  element("random").addEventListener("click", () => {
    draw();
    paint();
  });
}

async function start() {
  listen();
  const photograph = fetch("photograph.jpg").then((answer) => answer.blob());
  photograph.then((blob) => source ?? open(blob));
  const progress = element("progress");
  try {
    // ?backend=wasm or ?backend=webgl in the address chooses it.
    const wanted = new URLSearchParams(location.search).get("backend");
    backend = await load(wanted, (fraction) => (progress.value = fraction));
    progress.hidden = true;
    paint();
  } catch (error) {
    say(`The network cannot be loaded: ${error.message}`, true);
  }
}

start();
