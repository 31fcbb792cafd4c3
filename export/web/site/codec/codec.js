// Pictures to `.yoto` files and back: networks and range coder.

import { readArrays } from "./coder/array_file.js";
import { readContainer, writeContainer } from "./coder/container.js";
import { SymbolCoding } from "./coder/symbol_coding.js";
import { Networks } from "./networks.js";
import { FeatureMap, PaddedPicture } from "./tiles.js";

// Pixels along the side of hyper-latents, and of latents for each of these.
const BLOCK = 64;
const SCALE = 4;
// Pixels of the largest picture: a canvas of more is empty in some browsers.
const LARGEST = 2 ** 24;

export class Codec {
  #description;
  #coding;
  #networks;

  // What the page is told, the graph model, and the content of `tables.safetensors`.
  constructor(description, model, tables) {
    this.#description = description;
    this.#networks = new Networks(model, description.parts);
    this.#coding = new SymbolCoding(readArrays(tables));
  }

  // ImageData and λ to { file, image, encoding, decoding }: the bytes of a `.yoto` file,
  // the picture that is decoded from it and the seconds that each takes.
  async compress(picture, coefficient, progress) {
    checkPixels(picture);
    // What a file holds of it.
    coefficient = Math.fround(coefficient);
    const began = performance.now();
    const { rows, columns } = blocks(picture);
    const image = new PaddedPicture(picture, BLOCK);
    const latents = this.#map("latents", SCALE * rows, SCALE * columns);
    const codes = this.#map("hyper_latents", rows, columns);
    const symbols = this.#map("symbols", SCALE * rows, SCALE * columns);
    const run = (name, maps, output, from, to) =>
      this.#networks.run(name, maps, output, coefficient, (done) =>
        progress(from + done * (to - from)),
      );
    await run("analysis", { image }, latents, 0, 0.4);
    await run("hyper_analysis", { latents }, codes, 0.4, 0.42);
    const hyperLatents = Int32Array.from(codes.data, rounded);
    codes.data.set(hyperLatents);
    await run("symbols", { latents, hyper_latents: codes }, symbols, 0.42, 0.45);
    const integers = { hyperLatents, symbols: Int32Array.from(symbols.data) };
    const file = writeContainer({
      modelId: this.#description.ids[0],
      coefficients: [coefficient],
      height: picture.height,
      width: picture.width,
      sections: this.#coding.write(
        hyperLatents,
        integers.symbols,
        rows,
        columns,
        coefficient,
      ),
    });
    const encoded = performance.now();
    const decoded = await this.#synthesized(integers, picture, coefficient, (done) =>
      progress(0.5 + done / 2),
    );
    const encoding = (encoded - began) / 1000;
    return {
      file,
      image: decoded,
      encoding,
      decoding: (performance.now() - encoded) / 1000,
    };
  }

  // The bytes of a `.yoto` file to { image, coefficient, decoding, missing }: the picture,
  // λ, the seconds and what of the file is not shown, in words, or null.
  async decompress(file, progress) {
    const began = performance.now();
    const { modelId, coefficients, sections, height, width, ...others } =
      readContainer(file);
    if (others.lossless) {
      throw new Error(
        "This .yoto file is lossless and needs no network: yoto decompress opens it.",
      );
    }
    if (!this.#description.ids.includes(modelId)) {
      throw new Error(`This .yoto file was written by another model, ${modelId}.`);
    }
    const [coefficient] = coefficients;
    const [low, high] = this.#description.range.map(Math.fround);
    if (coefficients.length !== 1 || !(low <= coefficient && coefficient <= high)) {
      throw new Error("The .yoto file is damaged: its coefficient is impossible.");
    }
    checkPixels({ height, width });
    const { rows, columns } = blocks({ height, width });
    const integers = this.#coding.read(sections, rows, columns, coefficient);
    const image = await this.#synthesized(
      integers,
      { height, width },
      coefficient,
      progress,
    );
    const decoding = (performance.now() - began) / 1000;
    return { image, coefficient, decoding, missing: inWords(others) };
  }

  async #synthesized(
    { hyperLatents, symbols },
    { height, width },
    coefficient,
    progress,
  ) {
    const { rows, columns } = blocks({ height, width });
    const maps = {
      hyper_latents: this.#map(
        "hyper_latents",
        rows,
        columns,
        Float32Array.from(hyperLatents),
      ),
      symbols: this.#map(
        "symbols",
        SCALE * rows,
        SCALE * columns,
        Float32Array.from(symbols),
      ),
      quantized: this.#map("quantized", SCALE * rows, SCALE * columns),
    };
    const image = new ImageData(width, height);
    const decoded = new PaddedPicture(image, BLOCK);
    await this.#networks.run("quantized", maps, maps.quantized, coefficient);
    await this.#networks.run("synthesis", maps, decoded, coefficient, progress);
    return image;
  }

  #map(name, height, width, data) {
    return new FeatureMap(height, width, this.#description.channels[name], data);
  }
}

function blocks({ height, width }) {
  return { rows: Math.ceil(height / BLOCK), columns: Math.ceil(width / BLOCK) };
}

function checkPixels({ height, width }) {
  if (height * width > LARGEST) {
    const millions = (height * width) / 1e6;
    throw new Error(
      `A picture of ${millions.toFixed(0)} megapixels is too large for this page: ` +
        `it takes ${Math.floor(LARGEST / 1e6)} at most.`,
    );
  }
}

function inWords({ residual, alpha }) {
  const missing = [residual && "the second layer", alpha && "the transparency"].filter(
    Boolean,
  );
  return missing.length ? missing.join(" and ") : null;
}

// To the nearest integer, halves to even.
function rounded(value) {
  const nearest = Math.round(value);
  return nearest - value === 0.5 && nearest % 2 !== 0 ? nearest - 1 : nearest;
}
