// The scale tower in integers, see `yoto_tf.zoo.codec.coding.integer_scales`.
//
// All products and sums are integers below 2^53: the table of a symbol is the same on
// every machine.

import { convolve, integerMap, upsample } from "./integer_convolutions.js";

const LARGEST_ACTIVATION = 2 ** 15 - 1;
export const LAST_SCALE = 63;
const HYPER_LIMIT = 2 ** 11;

export class IntegerScales {
  #layers;

  constructor(arrays) {
    this.#layers = [0, 1, 2].map((layer) => ({
      kernel: widened(arrays[`kernel_${layer}`]),
      multipliers: arrays[`multipliers_${layer}`],
      offsets: arrays[`offsets_${layer}`],
      divisor: 2 ** arrays.shifts[layer],
    }));
  }

  // C, of the latents.
  get channels() {
    return this.#layers.at(-1).kernel.shape[3];
  }

  // Table indexes of the latents, Uint8Array [4h, 4w, C], of hyper-latents, an Int32Array
  // [h, w, N].
  indexes(hyperLatents, height, width, level) {
    let map = clipped(hyperLatents, height, width, HYPER_LIMIT);
    for (const [place, layer] of this.#layers.entries()) {
      const last = place === 2;
      map = (last ? convolve : upsample)(map, layer.kernel);
      const limit = last ? LAST_SCALE : LARGEST_ACTIVATION;
      const row = level * map.channels;
      for (let i = 0; i < map.data.length; i++) {
        const channel = row + (i % map.channels);
        const value = map.data[i] * layer.multipliers[channel] + layer.offsets[channel];
        map.data[i] = Math.min(Math.max(Math.floor(value / layer.divisor), 0), limit);
      }
    }
    return Uint8Array.from(map.data);
  }
}

// Integers within ±limit as a map.
export function clipped(values, height, width, limit) {
  const map = integerMap(height, width, values.length / (height * width));
  for (let i = 0; i < values.length; i++) {
    map.data[i] = Math.min(Math.max(values[i], -limit), limit);
  }
  return map;
}

// An array as doubles: products need not convert it again and again.
export function widened(array) {
  const doubles = Float64Array.from(array);
  doubles.shape = array.shape;
  return doubles;
}
