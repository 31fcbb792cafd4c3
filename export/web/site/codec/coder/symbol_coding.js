// Between a codec's integers and bytes, see `yoto_tf.zoo.codec.coding.symbol_coding`.

import { ContextCoder } from "./context_coder.js";
import { IntegerScales } from "./integer_scales.js";
import { CodingTables, RangeDecoder, RangeEncoder } from "./range_coder.js";

export class SymbolCoding {
  #edges;
  #hyperTables;
  #hyperChannels;
  #latents;

  // The arrays of a release, see `readArrays`.
  constructor({ levels, hyper_latents: hyper, latents, scales, context }) {
    this.#edges = levels.edges;
    this.#hyperTables = new CodingTables(hyper);
    this.#hyperChannels = this.#hyperTables.length / levels.vectors.shape[0];
    const tables = new CodingTables(latents);
    this.#latents = context
      ? new ContextCoder(context, tables)
      : new ScaleCoder(scales, tables);
  }

  // Two sections of a file. The hyper-latents are an Int32Array [rows, columns, N], the
  // symbols one of [4 rows, 4 columns, C].
  write(hyperLatents, symbols, rows, columns, coefficient) {
    const level = this.#level(coefficient);
    const encoder = new RangeEncoder(this.#hyperTables);
    const channels = this.#hyperChannels;
    for (let i = 0; i < hyperLatents.length; i++) {
      encoder.encode(hyperLatents[i], level * channels + (i % channels));
    }
    return [
      encoder.finish(),
      this.#latents.write(hyperLatents, symbols, rows, columns, level),
    ];
  }

  // What `write` wrote: { hyperLatents, symbols }.
  read(sections, rows, columns, coefficient) {
    if (sections.length !== 2) {
      throw new Error(
        "The .yoto file is damaged: it has another number of passes than two.",
      );
    }
    const level = this.#level(coefficient);
    const channels = this.#hyperChannels;
    const hyperLatents = new Int32Array(rows * columns * channels);
    const decoder = new RangeDecoder(sections[0], this.#hyperTables);
    for (let i = 0; i < hyperLatents.length; i++) {
      hyperLatents[i] = decoder.decode(level * channels + (i % channels));
    }
    decoder.finish();
    const symbols = this.#latents.read(sections[1], hyperLatents, rows, columns, level);
    return { hyperLatents, symbols };
  }

  // Only float32 is compared.
  #level(coefficient) {
    const value = Math.fround(coefficient);
    return this.#edges.filter((edge) => edge < value).length;
  }
}

// Symbols whose tables the hyper-latents choose.
class ScaleCoder {
  #scales;
  #tables;

  constructor(scales, tables) {
    this.#scales = new IntegerScales(scales);
    this.#tables = tables;
  }

  write(hyperLatents, symbols, rows, columns, level) {
    const indexes = this.#scales.indexes(hyperLatents, rows, columns, level);
    const encoder = new RangeEncoder(this.#tables);
    for (let i = 0; i < symbols.length; i++) encoder.encode(symbols[i], indexes[i]);
    return encoder.finish();
  }

  read(section, hyperLatents, rows, columns, level) {
    const indexes = this.#scales.indexes(hyperLatents, rows, columns, level);
    const decoder = new RangeDecoder(section, this.#tables);
    const symbols = new Int32Array(indexes.length);
    for (let i = 0; i < symbols.length; i++) symbols[i] = decoder.decode(indexes[i]);
    decoder.finish();
    return symbols;
  }
}
