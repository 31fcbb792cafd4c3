// Convolutions of integers in doubles, exact while sums stay below 2^53 in magnitude.
//
// Maps are Float64Arrays [height, width, channels] with these as properties. What the
// inputs are often is zero: such are passed over.

export function integerMap(height, width, channels) {
  return { height, width, channels, data: new Float64Array(height * width * channels) };
}

// A 3×3 convolution, stride 1, zero padding; the kernel is [3, 3, inputs, outputs].
export function convolve(map, kernel) {
  const result = integerMap(map.height, map.width, kernel.shape[3]);
  for (let row = 0; row < map.height; row++) {
    for (let column = 0; column < map.width; column++) {
      const to = (row * map.width + column) * result.channels;
      for (let i = 0; i < 3; i++) {
        for (let j = 0; j < 3; j++) {
          addTap(result.data, to, map, row + i - 1, column + j - 1, kernel, 3 * i + j);
        }
      }
    }
  }
  return result;
}

// A transposed 5×5 convolution, stride 2, padded as Keras' "same"; the kernel is
// [5, 5, inputs, outputs]. Input i reaches the outputs 2i − 1 … 2i + 3.
export function upsample(map, kernel) {
  const result = integerMap(2 * map.height, 2 * map.width, kernel.shape[3]);
  for (let row = 0; row < result.height; row++) {
    for (let column = 0; column < result.width; column++) {
      const to = (row * result.width + column) * result.channels;
      for (let i = (row + 1) % 2; i < 5; i += 2) {
        for (let j = (column + 1) % 2; j < 5; j += 2) {
          addTap(
            result.data,
            to,
            map,
            (row + 1 - i) / 2,
            (column + 1 - j) / 2,
            kernel,
            5 * i + j,
          );
        }
      }
    }
  }
  return result;
}

function addTap(sums, to, map, row, column, kernel, tap) {
  if (row < 0 || column < 0 || row >= map.height || column >= map.width) return;
  const from = (row * map.width + column) * map.channels;
  const [inputs, outputs] = kernel.shape.slice(-2);
  addProducts(
    sums,
    to,
    outputs,
    map.data,
    from,
    inputs,
    kernel,
    tap * inputs * outputs,
  );
}

// Adds a vector times a matrix [inputs, outputs] to `sums`, each from a place on.
export function addProducts(sums, to, outputs, values, from, inputs, kernel, start) {
  let waiting = -1;
  for (let input = 0; input < inputs; input++) {
    const value = values[from + input];
    if (value === 0) continue;
    if (waiting < 0) {
      waiting = input;
      continue;
    }
    // Two rows at a time: half as many sums are read and written.
    const before = values[from + waiting];
    let a = start + waiting * outputs;
    let b = start + input * outputs;
    for (let output = to; output < to + outputs; output++) {
      sums[output] += before * kernel[a++] + value * kernel[b++];
    }
    waiting = -1;
  }
  if (waiting < 0) return;
  const value = values[from + waiting];
  let a = start + waiting * outputs;
  for (let output = to; output < to + outputs; output++)
    sums[output] += value * kernel[a++];
}
