// The `.yoto` file, see `yoto_tf.zoo.codec.coding.container`.

import { blake2b } from "./blake2b.js";

const MAGIC = "YOTO";
const CHECKSUM = 8;
const MAX_SIDE = 65535;
const MAX_PIXELS = 2 ** 27;
const HYPER_LATENTS = 1;
const LATENTS = 2;
const RESIDUAL = 3;
const LOSSLESS = 4;
// Types from here on may be skipped.
const SKIPPABLE = 0x80;
const ALPHA = 0x84;
const MAX_SECTIONS = 32;

// Whether a file calls itself one.
export function isContainer(bytes) {
  return String.fromCharCode(...bytes.subarray(0, 4)) === MAGIC;
}

// A file of format version 1, a Uint8Array. `modelId` is hexadecimal, `sections` are the
// bytes of hyper-latents and of latents.
export function writeContainer({ modelId, coefficients, height, width, sections }) {
  checkSize(height, width);
  const [first, second] = sections;
  const headLength = 14 + 4 * coefficients.length + 12;
  const file = new Uint8Array(headLength + CHECKSUM + first.length + second.length);
  const view = new DataView(file.buffer);
  for (let place = 0; place < 4; place++) file[place] = MAGIC.charCodeAt(place);
  file[4] = 1;
  for (let place = 0; place < 8; place++) {
    file[5 + place] = parseInt(modelId.slice(2 * place, 2 * place + 2), 16);
  }
  file[13] = coefficients.length;
  coefficients.forEach((value, place) => view.setFloat32(14 + 4 * place, value, true));
  view.setUint32(headLength - 12, height, true);
  view.setUint32(headLength - 8, width, true);
  view.setUint32(headLength - 4, first.length, true);
  file.set(first, headLength + CHECKSUM);
  file.set(second, headLength + CHECKSUM + first.length);
  file.set(checksum(file, headLength), headLength);
  return file;
}

// What a file of version 1 or 2 holds: { modelId, coefficients, height, width, sections,
// residual, lossless, alpha }, the last three true or false.
export function readContainer(file) {
  if (!isContainer(file)) throw new Error("This is not a .yoto file.");
  const damaged = (what) => new Error(`The .yoto file is damaged: ${what}.`);
  if (file.length < 14) throw damaged("it is cut off");
  const version = file[4];
  if (version !== 1 && version !== 2) {
    throw new Error(`This page reads .yoto files of version 1 and 2, not ${version}.`);
  }
  const count = file[13];
  const headLength = 14 + 4 * count + (version === 1 ? 12 : 8);
  const start = headLength + CHECKSUM;
  if (file.length < start) throw damaged("it is cut off");
  const found = checksum(file, headLength);
  if (found.some((byte, place) => byte !== file[headLength + place])) {
    throw damaged("its checksum is wrong");
  }
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const number = (place) => view.getUint32(14 + 4 * (count + place), true);
  const [height, width] = [number(0), number(1)];
  checkSize(height, width);
  const payload = file.subarray(start);
  const content =
    version === 1
      ? splitInTwo(payload, number(2), damaged)
      : splitTyped(payload, damaged);
  return {
    modelId: Array.from(file.subarray(5, 13), (byte) =>
      byte.toString(16).padStart(2, "0"),
    ).join(""),
    coefficients: Array.from({ length: count }, (_, place) =>
      view.getFloat32(14 + 4 * place, true),
    ),
    height,
    width,
    ...content,
  };
}

// Of all bytes but its own.
function checksum(file, headLength) {
  const others = new Uint8Array(file.length - CHECKSUM);
  others.set(file.subarray(0, headLength));
  others.set(file.subarray(headLength + CHECKSUM), headLength);
  return blake2b(others, CHECKSUM);
}

function checkSize(height, width) {
  const sides = [height, width];
  if (
    sides.some((side) => side < 1 || side > MAX_SIDE) ||
    height * width > MAX_PIXELS
  ) {
    throw new Error(`A .yoto file cannot hold ${width} × ${height} pixels.`);
  }
}

function splitInTwo(payload, first, damaged) {
  if (first > payload.length) throw damaged("a section ends beyond its end");
  const sections = [payload.subarray(0, first), payload.subarray(first)];
  return { sections, residual: false, lossless: false, alpha: false };
}

function splitTyped(payload, damaged) {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.length);
  const typed = new Map();
  for (let at = 0; at < payload.length;) {
    if (payload.length < at + 5) throw damaged("a section is cut off");
    const type = payload[at];
    const end = at + 5 + view.getUint32(at + 1, true);
    if (end > payload.length) throw damaged("a section ends beyond its end");
    if (typed.has(type) || typed.size === MAX_SECTIONS)
      throw damaged("it has too many sections");
    if (type < SKIPPABLE && (type < HYPER_LATENTS || type > LOSSLESS)) {
      throw new Error(
        `The .yoto file is of a later version: it has a section of type ${type}.`,
      );
    }
    typed.set(type, payload.subarray(at + 5, end));
    at = end;
  }
  const coded = [HYPER_LATENTS, LATENTS, RESIDUAL].filter((type) => typed.has(type));
  const lossless = typed.has(LOSSLESS);
  if (lossless && coded.length) throw damaged("it holds two pictures");
  if (!lossless && !(typed.has(HYPER_LATENTS) && typed.has(LATENTS))) {
    throw damaged("it holds no picture");
  }
  const sections = lossless
    ? []
    : [typed.get(HYPER_LATENTS), ...splitPasses(typed.get(LATENTS), damaged)];
  return { sections, residual: typed.has(RESIDUAL), lossless, alpha: typed.has(ALPHA) };
}

function splitPasses(data, damaged) {
  const count = data[0] ?? 0;
  let at = 4 * count - 3;
  const passes = [];
  const wrong = damaged("a pass of latents ends beyond its end");
  if (!count || data.length < at) throw wrong;
  const view = new DataView(data.buffer, data.byteOffset, data.length);
  for (let number = 0; number < count - 1; number++) {
    const length = view.getUint32(1 + 4 * number, true);
    if (length > data.length - at) throw wrong;
    passes.push(data.subarray(at, at + length));
    at += length;
  }
  return [...passes, data.subarray(at)];
}
