// Large maps part by part, the same as at once: see `yoto_tf.zoo.codec.tiling`.

// Divides an axis into overlapping spans of one size: { begin, end } of what is read,
// { first, last } of what is kept.
export function spans(length, size, [before, after]) {
  if (size >= length) return [{ begin: 0, end: length, first: 0, last: length }];
  const result = [];
  for (let first = 0; first < length;) {
    const begin = Math.min(Math.max(first - before, 0), length - size);
    const end = begin + size;
    const last = end === length ? length : end - after;
    result.push({ begin, end, first, last });
    first = last;
  }
  return result;
}

// Rows and columns of tiles that hold about `area` places.
export function tileSize(height, width, area, reach) {
  if (height * width <= area) return [height, width];
  const overlap = reach[0] + reach[1];
  const longest = (places) => Math.max(places, 4 * overlap);
  const columns = fewest(width, longest(Math.floor(area / (4 * overlap))), overlap);
  return [fewest(height, longest(Math.floor(area / columns)), overlap), columns];
}

// The size of the fewest equal spans of at most `longest` that cover an axis.
function fewest(length, longest, overlap) {
  if (length <= longest) return length;
  const count = Math.ceil((length - overlap) / (longest - overlap));
  return Math.ceil((length - overlap) / count) + overlap;
}

// A map that is held as a whole, [height, width, channels].
export class FeatureMap {
  constructor(
    height,
    width,
    channels,
    data = new Float32Array(height * width * channels),
  ) {
    Object.assign(this, { height, width, channels, data });
  }

  // The values of a window, row by row.
  cut({ begin: top, end: bottom }, { begin: left, end: right }) {
    const row = (right - left) * this.channels;
    const window = new Float32Array((bottom - top) * row);
    for (let y = top; y < bottom; y++) {
      const from = (y * this.width + left) * this.channels;
      window.set(this.data.subarray(from, from + row), (y - top) * row);
    }
    return window;
  }

  // Keeps of a window's values what the spans say.
  paste(values, rows, columns) {
    const width = columns.end - columns.begin;
    const row = (columns.last - columns.first) * this.channels;
    for (let y = rows.first; y < rows.last; y++) {
      const from =
        ((y - rows.begin) * width + columns.first - columns.begin) * this.channels;
      const to = (y * this.width + columns.first) * this.channels;
      this.data.set(values.subarray(from, from + row), to);
    }
  }
}

// ImageData that seems to go on to a multiple of its sides, repeating its last pixels.
export class PaddedPicture {
  #image;

  constructor(image, multiple) {
    this.#image = image;
    this.height = Math.ceil(image.height / multiple) * multiple;
    this.width = Math.ceil(image.width / multiple) * multiple;
    this.channels = 3;
  }

  cut(rows, columns) {
    const { data, height, width } = this.#image;
    const window = new Float32Array(
      (rows.end - rows.begin) * (columns.end - columns.begin) * 3,
    );
    let to = 0;
    for (let y = rows.begin; y < rows.end; y++) {
      for (let x = columns.begin; x < columns.end; x++) {
        const from = 4 * (Math.min(y, height - 1) * width + Math.min(x, width - 1));
        for (let channel = 0; channel < 3; channel++)
          window[to++] = data[from + channel];
      }
    }
    return window;
  }

  // What lies in the padding is left out.
  paste(values, rows, columns) {
    const { data, height, width } = this.#image;
    const row = columns.end - columns.begin;
    for (let y = rows.first; y < Math.min(rows.last, height); y++) {
      for (let x = columns.first; x < Math.min(columns.last, width); x++) {
        const from = 3 * ((y - rows.begin) * row + x - columns.begin);
        const to = 4 * (y * width + x);
        for (let channel = 0; channel < 3; channel++)
          data[to + channel] = values[from + channel];
        data[to + 3] = 255;
      }
    }
  }
}
