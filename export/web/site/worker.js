// The network, in a thread of its own so that the page never waits for it.
//
// In:  { load: backend or null } once, then { id, pixels, width, height, style,
//      coefficients } with RGBA pixels.
// Out: { progress }, { backend } when it is ready, { id, pixels, milliseconds }, or
//      { error } with the id that it belongs to.

const RUNTIME = [
  "runtime/tf-core.es2017.min.js",
  "runtime/tf-converter.es2017.min.js",
  "runtime/tf-backend-webgl.es2017.min.js",
  "runtime/tf-backend-wasm.es2017.min.js",
];
// Whoever starts the worker sets `base`, the address of the page's folder.
importScripts(...RUNTIME.map((name) => base + name));

// From the fastest.
const BACKENDS = ["webgl", "wasm"];
let model;

async function load(wanted) {
  tf.wasm.setWasmPaths(base + "runtime/");
  const backends = BACKENDS.filter((name) => name !== "webgl" || !softwareWebGL());
  for (const backend of wanted ? [wanted] : backends) {
    if (await usable(backend)) return backend;
  }
  throw new Error("this browser has neither WebGL nor WebAssembly for it");
}

// Browsers without a graphics processor may imitate one, slower than WebAssembly is.
function softwareWebGL() {
  const gl = self.OffscreenCanvas && new OffscreenCanvas(1, 1).getContext("webgl2");
  const names = gl?.getExtension("WEBGL_debug_renderer_info");
  const name = names ? gl.getParameter(names.UNMASKED_RENDERER_WEBGL) : "";
  return /swiftshader|llvmpipe|softpipe|basic render/i.test(name);
}

// Whether a backend gives a picture.
async function usable(backend) {
  // False, or an error, where the browser does not have it.
  const found = await tf.setBackend(backend).catch(() => false);
  if (!found || !precise(backend)) return false;
  model ??= await tf.loadGraphModel(base + "network/model.json", {
    onProgress: (progress) => postMessage({ progress }),
  });
  try {
    await stylized(smallest());
    return true;
  } catch (error) {
    console.warn(`${backend} is not used: ${error.message}`);
    // Its weights may be lost with it.
    model = undefined;
    return false;
  }
}

// Moments of whole pictures need more than sixteen bits.
function precise(backend) {
  return backend !== "webgl" || tf.env().getBool("WEBGL_RENDER_FLOAT32_CAPABLE");
}

function smallest() {
  const [style, coefficients] = ["style", "coefficients"].map((name) => {
    const { shape } = model.inputs.find((input) => input.name === name);
    return Array(shape[1]).fill(1);
  });
  const pixels = new Uint8ClampedArray(4 * 16 * 16);
  return { pixels, width: 16, height: 16, style, coefficients };
}

async function stylized({ pixels, width, height, style, coefficients }) {
  const image = tf.tidy(() => {
    const data = new Uint8Array(pixels.buffer);
    const bytes = tf.browser.fromPixels({ data, width, height }, 3);
    const batch = model.execute({
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

onmessage = async ({ data }) => {
  try {
    if ("load" in data) {
      postMessage({ backend: await load(data.load) });
      return;
    }
    const began = performance.now();
    const pixels = await stylized(data);
    const milliseconds = performance.now() - began;
    postMessage({ id: data.id, pixels, milliseconds }, [pixels.buffer]);
  } catch (error) {
    postMessage({ id: data.id, error: error.message });
  }
};
