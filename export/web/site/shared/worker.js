// A model, in a thread of its own so that the page never waits for it.
//
// In:  { load: backend or null, description: what the page is told } once, then
//      { id, ... } with what the model is asked.
// Out: { loaded: from 0 to 1 }, { backend } when it is ready, { id, progress: from 0 to
//      1 }, { id, answer } or { error } with the id that it belongs to.
//
// `model.js` beside it has the function `openModel` of the network, a graph model, and the
// description, which gives { trial, answer }: a function that asks for something small,
// and one of a request and of a listener for progress, which gives { answer, transfer }.

const RUNTIME = [
  "runtime/tf-core.es2017.min.js",
  "runtime/tf-converter.es2017.min.js",
  "runtime/tf-backend-webgl.es2017.min.js",
  "runtime/tf-backend-wasm.es2017.min.js",
];
// Whoever starts the worker sets `base`, the address of the page's folder.
importScripts(...RUNTIME.map((name) => base + name), base + "model.js");

// From the fastest.
const BACKENDS = ["webgl", "wasm"];
let network;
let model;

async function load(wanted, description) {
  tf.wasm.setWasmPaths(base + "runtime/");
  const backends = BACKENDS.filter((name) => name !== "webgl" || !softwareWebGL());
  for (const backend of wanted ? [wanted] : backends) {
    if (await usable(backend, description)) return backend;
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
async function usable(backend, description) {
  // False, or an error, where the browser does not have it.
  const found = await tf.setBackend(backend).catch(() => false);
  if (!found || !precise(backend)) return false;
  network ??= await tf.loadGraphModel(base + "network/model.json", {
    onProgress: (loaded) => postMessage({ loaded }),
  });
  model = await openModel(network, description);
  try {
    await model.trial();
    return true;
  } catch (error) {
    console.warn(`${backend} is not used: ${error.message}`);
    // Its weights may be lost with it.
    network = undefined;
    return false;
  }
}

// Moments of whole pictures need more than sixteen bits.
function precise(backend) {
  return backend !== "webgl" || tf.env().getBool("WEBGL_RENDER_FLOAT32_CAPABLE");
}

onmessage = async ({ data }) => {
  const { id } = data;
  try {
    if ("load" in data) {
      postMessage({ backend: await load(data.load, data.description) });
      return;
    }
    const report = (progress) => postMessage({ id, progress });
    const { answer, transfer } = await model.answer(data, report);
    postMessage({ id, answer }, transfer);
  } catch (error) {
    postMessage({ id, error: error.message });
  }
};
