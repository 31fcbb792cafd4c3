// The stylizer in a worker, see `worker.js`.
//
// Asked: { pixels, width, height, style, coefficients } with RGBA pixels.
// Answer: { pixels, milliseconds }.

function openModel(network) {
  return {
    trial: () => stylized(network, smallest(network)),
    answer: async (request) => {
      const began = performance.now();
      const pixels = await stylized(network, request);
      const milliseconds = performance.now() - began;
      return { answer: { pixels, milliseconds }, transfer: [pixels.buffer] };
    },
  };
}

function smallest(network) {
  const [style, coefficients] = ["style", "coefficients"].map((name) => {
    const { shape } = network.inputs.find((input) => input.name === name);
    return Array(shape[1]).fill(1);
  });
  const pixels = new Uint8ClampedArray(4 * 16 * 16);
  return { pixels, width: 16, height: 16, style, coefficients };
}

async function stylized(network, { pixels, width, height, style, coefficients }) {
  const image = tf.tidy(() => {
    const data = new Uint8Array(pixels.buffer);
    const bytes = tf.browser.fromPixels({ data, width, height }, 3);
    const batch = network.execute({
      image: tf.div(tf.expandDims(tf.cast(bytes, "float32")), 255),
      style: tf.tensor([style]),
      coefficients: tf.tensor([coefficients]),
    });
    return tf.squeeze(batch, [0]);
  });
  const result = await tf.browser.toPixels(image);
  image.dispose();
  return result;
}
