// The stylizer in its worker.

import { ask, load as loadModel } from "./thread.js";

// See `load` in `thread.js`; this model is told nothing.
export function load(backend, progress) {
  return loadModel(backend, null, progress);
}

// ImageData, weights of the styles and values of the coefficients to { image,
// milliseconds }. The ImageData cannot be used again.
export async function stylize({ data, width, height }, style, coefficients) {
  const request = { pixels: data, width, height, style, coefficients };
  const { pixels, milliseconds } = await ask(request, [data.buffer]);
  return { image: new ImageData(pixels, width, height), milliseconds };
}
