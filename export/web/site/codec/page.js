// Pictures and `.yoto` files, through the codec, onto the page.

import { isContainer } from "./coder/container.js";
import { alternatives, canvasOf, pixelsOf, psnr } from "./comparison.js";
import { onFile, openPicture, save } from "./pictures.js";
import { ask, load } from "./thread.js";

const DEVICES = { webgl: "the graphics processor", wasm: "the processor" };
// Pixels of the largest picture: a canvas of more is empty in some browsers.
const LARGEST = 2 ** 24;
const description = JSON.parse(document.getElementById("description").textContent);
const [low, high] = description.range;
const element = (id) => document.getElementById(id);
const progress = element("progress");
const frame = document.querySelector(".frame");

let backend;
// What was opened, and what of it is shown: { name, content }, the content an ImageBitmap
// or the bytes of a `.yoto` file.
let source;
let shown;
// The bytes of the `.yoto` file that is shown.
let file;
// The name of what somebody wants it compared with.
let chosen = "Original";
let turns = 0;

function say(text, wrong = false) {
  element("status").textContent = text;
  element("status").classList.toggle("wrong", wrong);
}

const quality = () => element("quality").value / 100;

// λ, a position on a logarithmic range.
const coefficient = () => low * (high / low) ** quality();

function fill(row, bytes, pixels, decibels) {
  const texts = [
    bytes?.toLocaleString("en") ?? "",
    bytes ? ((8 * bytes) / pixels).toFixed(3) : "",
    decibels === undefined
      ? ""
      : Number.isFinite(decibels)
        ? `${decibels.toFixed(2)} dB`
        : "exact",
  ];
  [...row.querySelectorAll("td")].forEach(
    (cell, place) => (cell.textContent = texts[place]),
  );
}

// Lists what the picture can be compared with: { name, image } and, of files, { bytes,
// psnr }.
function list(alternatives) {
  const names = alternatives.map((other) => other.name);
  const selected = names.includes(chosen) ? chosen : names[0];
  element("others").replaceChildren(
    ...alternatives.map((other) => row(other, selected)),
  );
}

// A row of the table, whose picture is shown if it has the name.
function row(other, selected) {
  const { name: label, image } = other;
  const line = document.createElement("tr");
  const head = document.createElement("th");
  const text = document.createElement("label");
  const input = document.createElement("input");
  const checked = label === selected;
  head.scope = "row";
  Object.assign(input, { type: "radio", name: "other", value: label, checked });
  input.addEventListener("change", () => {
    chosen = label;
    showOther(other);
  });
  text.append(input, label);
  head.append(text);
  line.append(head, ...Array.from({ length: 3 }, () => document.createElement("td")));
  fill(line, other.bytes, image.width * image.height, other.psnr);
  if (checked) showOther(other);
  return line;
}

function showOther({ name: label, image }) {
  element("right").textContent = label;
  canvasOf(image, element("other"));
}

function compare(shown) {
  for (const id of ["other", "comparison", "others", "hint"])
    element(id).hidden = !shown;
  element("dial").disabled = !shown;
}

// Does anew what there is to do with the source; whatever is being done is given up.
async function work() {
  if (!source || !backend) return;
  const turn = ++turns;
  const report = (done) => {
    if (turn === turns) progress.value = done;
  };
  try {
    progress.value = 0;
    progress.hidden = false;
    if (source.content instanceof Uint8Array) await decompress(turn, report);
    else await compress(turn, report);
  } catch (error) {
    if (turn !== turns) return;
    say(error.message, true);
    // The dial goes on with the picture that it is of.
    if (source.content instanceof Uint8Array) source = shown;
  } finally {
    if (turn === turns) progress.hidden = true;
  }
}

async function compress(turn, report) {
  const longest = Number(element("size").value);
  const pixels = source.content.width * source.content.height;
  if (longest === Infinity && pixels > LARGEST) {
    throw new Error(
      `This picture has ${Math.round(pixels / 1e6)} megapixels, of which the page takes ` +
        `${Math.floor(LARGEST / 1e6)}: choose a longest side.`,
    );
  }
  say("Compressing …");
  const original = pixelsOf(source.content, longest);
  const { width, height } = original;
  const data = original.data.slice();
  const asked = { pixels: data, width, height, coefficient: coefficient() };
  const answer = await ask({ compress: asked }, [data.buffer], report);
  if (turn !== turns) return;
  say("Comparing …");
  const found = await alternatives(original, answer.file.length);
  if (turn !== turns) return;
  show(answer.image, answer.file, psnr(original, answer.image));
  list([{ name: "Original", image: original }, ...found]);
  compare(true);
  const [written, read] = [answer.encoding, answer.decoding].map((s) => s.toFixed(1));
  say(`${width} × ${height} pixels, written in ${written} s, read in ${read} s`);
}

async function decompress(turn, report) {
  say("Opening …");
  const answer = await ask({ decompress: source.content }, [], report);
  if (turn !== turns) return;
  compare(false);
  show(answer.image, source.content);
  const position = Math.log(answer.coefficient / low) / Math.log(high / low);
  element("quality").value = Math.round(100 * position);
  showQuality();
  const { width, height } = answer.image;
  say(
    answer.missing
      ? `This page does not show ${answer.missing} of this file: yoto decompress does.`
      : `${width} × ${height} pixels, read in ${answer.decoding.toFixed(1)} s`,
  );
}

function show(image, bytes, decibels) {
  file = bytes;
  shown = source;
  canvasOf(image, element("result"));
  fill(element("yoto"), bytes.length, image.width * image.height, decibels);
  element("save").disabled = element("png").disabled = false;
  performance.mark("picture");
}

async function open(chosenFile) {
  try {
    const bytes = new Uint8Array(await chosenFile.arrayBuffer());
    const name = chosenFile.name ?? "The photograph";
    const content = isContainer(bytes) ? bytes : await openPicture(chosenFile, name);
    source = { content, name: name.replace(/\.[^.]*$/, "") };
    work();
  } catch (error) {
    say(error.message, true);
  }
}

function showQuality() {
  document.querySelector("output[for=quality]").value = element("quality").value;
}

function listen() {
  onFile(element("file"), frame, open);
  element("quality").addEventListener("input", showQuality);
  for (const id of ["quality", "size"]) element(id).addEventListener("change", work);
  element("split").addEventListener("input", ({ target }) => {
    frame.style.setProperty("--split", `${target.value}%`);
  });
  element("save").addEventListener("click", () =>
    save(new Blob([file]), `${shown.name}.yoto`),
  );
  element("png").addEventListener("click", () =>
    element("result").toBlob((blob) => save(blob, `${shown.name}.png`)),
  );
}

async function start() {
  listen();
  const photograph = fetch("photograph.png").then((answer) => answer.blob());
  photograph.then((blob) => source ?? open(blob));
  try {
    // ?backend=wasm or ?backend=webgl in the address chooses it.
    const wanted = new URLSearchParams(location.search).get("backend");
    backend = await load(
      wanted,
      description,
      (fraction) => (progress.value = fraction),
    );
    // For who measures it.
    document.body.dataset.device = DEVICES[backend];
    work();
  } catch (error) {
    say(`The network cannot be loaded: ${error.message}`, true);
  }
}

start();
