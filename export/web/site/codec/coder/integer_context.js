// The scales under a context, in integers, see `yoto_tf.zoo.codec.coding.integer_context`.

import { addProducts, convolve, upsample } from "./integer_convolutions.js";
import { clipped, LAST_SCALE, widened } from "./integer_scales.js";
import { eachPosition, GROUPS, groupAt } from "./quadtree.js";

const HYPER_LIMIT = 127;
const LARGEST_ACTIVATION = 255;
const MAGNITUDE_LIMIT = 255;
// Rows of hyper-latents before and after its own that a table index depends on.
const REACH = [2, 1];

export class IntegerContext {
  constructor(arrays) {
    this.arrays = {};
    for (const [name, array] of Object.entries(arrays))
      this.arrays[name] = widened(array);
    for (const sum of ["tower_0", "tower_1", "base", "neighbours", "inner"]) {
      this.arrays[`${sum}/divisor`] = 2 ** arrays[`${sum}/shift`][0];
    }
    this.depth = arrays["outer/kernel"].shape[2];
    this.filters = arrays["inner/kernel"].shape[0];
  }

  // C, of the latents.
  get channels() {
    return GROUPS * this.depth;
  }

  // What all passes over the latents of some rows of hyper-latents, an Int32Array
  // [height, width, N], share.
  part(hyperLatents, height, width, level, first, last) {
    const begin = Math.max(first - REACH[0], 0);
    const end = Math.min(last + REACH[1], height);
    const row = hyperLatents.length / height;
    const window = hyperLatents.subarray(begin * row, end * row);
    let features = clipped(window, end - begin, width, HYPER_LIMIT);
    for (const layer of ["tower_0", "tower_1"]) {
      features = upsample(features, this.arrays[`${layer}/kernel`]);
      this.#activate(layer, features, level);
    }
    const base = convolve(features, this.arrays["base/kernel"]);
    const kept = [4 * (first - begin), 4 * (last - begin)];
    return new ContextPart(this, level, rows(features, ...kept), rows(base, ...kept));
  }

  #activate(layer, { data, channels }, level) {
    const multipliers = this.arrays[`${layer}/multipliers`];
    const offsets = this.arrays[`${layer}/offsets`];
    const divisor = this.arrays[`${layer}/divisor`];
    for (let i = 0; i < data.length; i++) {
      const channel = level * channels + (i % channels);
      data[i] = activation(
        (data[i] * multipliers[channel] + offsets[channel]) / divisor,
      );
    }
  }
}

// Table indexes of some rows of a picture, pass by pass.
class ContextPart {
  #context;
  #level;
  #features;
  #base;
  // Of each position what the features and the known symbols contribute.
  #hidden;
  #sums;

  constructor(context, level, features, base) {
    this.#context = context;
    this.#level = level;
    this.#features = features;
    this.#base = base;
    this.height = base.height;
    this.width = base.width;
  }

  // Table indexes of a pass, Uint8Array, in the order in which it is coded. Every earlier
  // pass must have been given to `know`.
  indexes(number) {
    const { arrays, depth, filters } = this.#context;
    const result = new Uint8Array(this.height * this.width * depth);
    const hidden = new Float64Array(filters);
    const inner = new Float64Array(filters);
    const corrections = new Float64Array(depth);
    let place = 0;
    eachPosition(this.height, this.width, (row, column) => {
      const position = row * this.width + column;
      const group = groupAt(row, column, number);
      corrections.fill(0);
      if (number) {
        this.#hiddenAt(position, number, group, hidden);
        inner.fill(0);
        addProducts(inner, 0, filters, hidden, 0, filters, arrays["inner/kernel"], 0);
        for (let i = 0; i < filters; i++) {
          const sum =
            inner[i] * arrays["inner/multipliers"][i] + arrays["inner/offsets"][i];
          inner[i] = activation(sum / arrays["inner/divisor"]);
        }
        const start = group * filters * depth;
        addProducts(
          corrections,
          0,
          depth,
          inner,
          0,
          filters,
          arrays["outer/kernel"],
          start,
        );
      }
      for (let i = 0; i < depth; i++) {
        const channel = group * depth + i;
        const sum =
          this.#base.data[position * GROUPS * depth + channel] *
            arrays["base/multipliers"][channel] +
          arrays["base/offsets"][this.#level * GROUPS * depth + channel] +
          corrections[i] * arrays["outer/multipliers"][channel];
        const index = Math.floor(sum / arrays["base/divisor"]);
        result[place++] = Math.min(Math.max(index, 0), LAST_SCALE);
      }
    });
    return result;
  }

  #hiddenAt(position, number, group, hidden) {
    const { arrays, filters } = this.#context;
    const places = ((number - 1) * GROUPS + group) * filters;
    for (let i = 0; i < filters; i++) {
      const sum =
        this.#sums[position * filters + i] *
          arrays["neighbours/multipliers"][this.#level * filters + i] +
        this.#hidden[position * filters + i] +
        arrays.places[places + i];
      hidden[i] = activation(sum / arrays["neighbours/divisor"]);
    }
  }

  // Takes note of a pass's symbols, [height, width, C/4] by position, and of those of the
  // row above, [width, C/4], or null.
  know(number, symbols, above) {
    const { arrays, depth, filters } = this.#context;
    const magnitudes = (values) =>
      Float64Array.from(
        values,
        (value) => arrays.magnitudes[Math.min(Math.abs(value), MAGNITUDE_LIMIT)],
      );
    const known = magnitudes(symbols);
    const knownAbove = above && magnitudes(above);
    if (number === 0) this.#start();
    for (let row = 0; row < this.height; row++) {
      for (let column = 0; column < this.width; column++) {
        const to = (row * this.width + column) * filters;
        for (let tap = 0; tap < 9; tap++) {
          const y = row + Math.floor(tap / 3) - 1;
          const x = column + (tap % 3) - 1;
          if (x < 0 || x >= this.width || y >= this.height || (y < 0 && !above))
            continue;
          const values = y < 0 ? knownAbove : known;
          const from = (Math.max(y, 0) * this.width + x) * depth;
          // The row above the first is odd.
          const group = groupAt(y + 2, x, number);
          const start = (tap * GROUPS + group) * depth * filters;
          const kernel = arrays["neighbours/kernel"];
          addProducts(this.#sums, to, filters, values, from, depth, kernel, start);
        }
      }
    }
  }

  #start() {
    const { arrays, filters } = this.#context;
    const { data, channels } = this.#features;
    const positions = this.height * this.width;
    this.#sums = new Float64Array(positions * filters);
    this.#hidden = new Float64Array(positions * filters);
    for (let position = 0; position < positions; position++) {
      const to = position * filters;
      const kernel = arrays["features/kernel"];
      addProducts(
        this.#hidden,
        to,
        filters,
        data,
        position * channels,
        channels,
        kernel,
        0,
      );
      for (let i = 0; i < filters; i++) {
        const channel = this.#level * filters + i;
        this.#hidden[to + i] =
          this.#hidden[to + i] * arrays["features/multipliers"][channel] +
          arrays["neighbours/offsets"][channel];
      }
    }
  }
}

function activation(value) {
  return Math.min(Math.max(Math.floor(value), 0), LARGEST_ACTIVATION);
}

function rows({ width, channels, data }, first, last) {
  const row = width * channels;
  return {
    height: last - first,
    width,
    channels,
    data: data.subarray(first * row, last * row),
  };
}
