// The parts of the network, by TensorFlow.js, in tiles where a picture is large.

import { spans, tileSize } from "./tiles.js";

export class Networks {
  #model;
  #parts;

  // The graph model, and what the page is told of its parts.
  constructor(model, parts) {
    this.#model = model;
    this.#parts = parts;
  }

  // Fills a map with what a part makes of others, { name: map }; the function is told how
  // much of that is done, from 0 to 1.
  async run(name, maps, output, coefficient, progress = () => {}) {
    const { inputs, output: key, reach, area } = this.#parts[name];
    const all = [...inputs.map((input) => maps[input]), output];
    const height = Math.min(...all.map((map) => map.height));
    const width = Math.min(...all.map((map) => map.width));
    const [tileHeight, tileWidth] = tileSize(height, width, area, reach);
    const rows = spans(height, tileHeight, reach);
    const columns = spans(width, tileWidth, reach);
    let done = 0;
    for (const row of rows) {
      for (const column of columns) {
        const tensors = { coefficients: tf.tensor2d([[coefficient]]) };
        for (const input of inputs) {
          const map = maps[input];
          const [y, x] = [row, column].map((span) => scaled(span, map.height / height));
          const shape = [1, y.end - y.begin, x.end - x.begin, map.channels];
          tensors[input] = tf.tensor4d(map.cut(y, x), shape);
        }
        const tile = await this.#executed(tensors, key);
        output.paste(
          tile,
          ...[row, column].map((span) => scaled(span, output.height / height)),
        );
        progress(++done / (rows.length * columns.length));
        // What is asked meanwhile is heard only between tasks.
        await new Promise((resolve) => setTimeout(resolve));
      }
    }
  }

  async #executed(tensors, output) {
    try {
      const result = tf.tidy(() => this.#model.execute(tensors, output));
      const values = await result.data();
      result.dispose();
      return values;
    } finally {
      tf.dispose(tensors);
    }
  }
}

function scaled(span, factor) {
  return Object.fromEntries(
    Object.entries(span).map(([key, place]) => [key, place * factor]),
  );
}
