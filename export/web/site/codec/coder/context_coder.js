// Symbols under a context, see `yoto_tf.zoo.codec.coding.context_symbol_coding`: stripes
// of rows, each in four passes; those that are expected to be zero may be left out.

import { IntegerContext } from "./integer_context.js";
import { readOutliers, writeOutliers } from "./outliers.js";
import { eachPosition, groupAt, PASSES } from "./quadtree.js";
import { RangeDecoder, RangeEncoder } from "./range_coder.js";

// Positions of latents in a stripe.
const POSITIONS = 2 ** 15;
// What a section begins with.
const ALL = 0;
const SKIPPING = 1;

export class ContextCoder {
  #context;
  #tables;
  #stripe;

  constructor(context, tables, stripe = POSITIONS) {
    this.#context = new IntegerContext(context);
    this.#tables = tables;
    this.#stripe = stripe;
  }

  write(hyperLatents, symbols, rows, columns, level) {
    const all = new RangeEncoder(this.#tables);
    const skipping = new RangeEncoder(this.#tables);
    const positions = [];
    const values = [];
    let skipped = 0;
    this.#eachPass(hyperLatents, rows, columns, level, (indexes, placeOf) => {
      const integers = new Int32Array(indexes.length);
      for (let i = 0; i < indexes.length; i++) {
        const value = (integers[i] = symbols[placeOf(i)]);
        all.encode(value, indexes[i]);
        if (indexes[i]) {
          skipping.encode(value, indexes[i]);
          continue;
        }
        if (value) {
          positions.push(skipped);
          values.push(value);
        }
        skipped++;
      }
      return integers;
    });
    const outliers = writeOutliers(positions, values);
    if (8 * outliers.length < this.#bits(skipped, values)) {
      return joined([SKIPPING], outliers, skipping.finish());
    }
    return joined([ALL], all.finish());
  }

  read(section, hyperLatents, rows, columns, level) {
    let outliers = { positions: [], values: [], rest: section.subarray(1) };
    if (section[0] === SKIPPING) outliers = readOutliers(outliers.rest);
    else if (section[0] !== ALL) {
      throw new Error(
        "The .yoto file is damaged: its symbols are in a mode that does not exist.",
      );
    }
    const decoder = new RangeDecoder(outliers.rest, this.#tables);
    const symbols = new Int32Array(16 * rows * columns * this.#context.channels);
    let skipped = 0;
    let outlier = 0;
    this.#eachPass(hyperLatents, rows, columns, level, (indexes, placeOf) => {
      const integers = new Int32Array(indexes.length);
      for (let i = 0; i < indexes.length; i++) {
        if (indexes[i] || section[0] === ALL) {
          integers[i] = decoder.decode(indexes[i]);
        } else if (outliers.positions[outlier] === skipped++) {
          integers[i] = outliers.values[outlier++];
        }
        symbols[placeOf(i)] = integers[i];
      }
      return integers;
    });
    decoder.finish();
    if (outlier < outliers.positions.length) {
      throw new Error("The .yoto file is damaged: it has a symbol beyond the last.");
    }
    return symbols;
  }

  // What it would take to code the symbols that are left out: the table of the smallest
  // scale, and for what lies beyond it an escape symbol, an Elias gamma code and a sign.
  #bits(count, values) {
    const { escapes, offsets, sums, total } = this.#tables;
    const bitsOf = (place) =>
      Math.log2(total) - Math.log2(sums[place + 1] - sums[place]);
    const last = escapes[0] - 1;
    let bits = (count - values.length) * bitsOf(-offsets[0]);
    for (const value of values) {
      const place = value - offsets[0];
      if (place >= 0 && place <= last) bits += bitsOf(place);
      else {
        const beyond = Math.max(-place, place - last);
        bits += bitsOf(escapes[0]) + 2 * Math.floor(Math.log2(beyond)) + 2;
      }
    }
    return bits;
  }

  // Goes through the stripes and their passes. The function gets the table indexes of a
  // pass and a function from places in it to places in the symbols, and returns its
  // integers.
  #eachPass(hyperLatents, rows, columns, level, code) {
    const { channels, depth } = this.#context;
    const size = Math.max(Math.floor(this.#stripe / (16 * columns)), 1);
    const above = Array(PASSES).fill(null);
    for (let begin = 0; begin < rows; begin += size) {
      const end = Math.min(begin + size, rows);
      const part = this.#context.part(hyperLatents, rows, columns, level, begin, end);
      const { height, width } = part;
      const order = new Uint32Array(height * width);
      let next = 0;
      eachPosition(height, width, (y, x) => (order[next++] = y * width + x));
      for (let number = 0; number < PASSES; number++) {
        const placeOf = (i) => {
          const position = order[Math.floor(i / depth)];
          const group = groupAt(Math.floor(position / width), position % width, number);
          const start = (4 * begin * width + position) * channels;
          return start + group * depth + (i % depth);
        };
        const integers = code(part.indexes(number), placeOf);
        if (number === PASSES - 1) continue;
        const known = new Int32Array(integers.length);
        order.forEach((position, place) => {
          known.set(
            integers.subarray(place * depth, (place + 1) * depth),
            position * depth,
          );
        });
        part.know(number, known, above[number]);
        above[number] = known.slice((height - 1) * width * depth);
      }
    }
  }
}

function joined(...parts) {
  const result = new Uint8Array(
    parts.reduce((length, part) => length + part.length, 0),
  );
  let at = 0;
  for (const part of parts) {
    result.set(part, at);
    at += part.length;
  }
  return result;
}
