// The network in its worker, as functions that the page can wait for.

// A worker that is loaded from an address has a policy of its own, one that is made here
// has that of the page.
const base = new URL(".", import.meta.url).href;
const start = `self.base = ${JSON.stringify(base)}; importScripts(base + "worker.js");`;
const script = URL.createObjectURL(new Blob([start], { type: "text/javascript" }));
const worker = new Worker(script);
const waiting = new Map();
let requests = 0;
let onProgress;

worker.onmessage = ({ data }) => {
  if ("progress" in data) {
    onProgress(data.progress);
    return;
  }
  const { resolve, reject } = waiting.get(data.id);
  waiting.delete(data.id);
  if ("error" in data) reject(new Error(data.error));
  else resolve(data);
};

worker.onerror = (event) => {
  for (const { reject } of waiting.values()) {
    reject(new Error(event.message || "worker.js cannot be loaded"));
  }
};

function ask(message, id, transfer = []) {
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject });
    worker.postMessage(message, transfer);
  });
}

// Loads the network onto a backend of TensorFlow.js, or the fastest for null, and gives
// that one's name. The function is told how much has come, from 0 to 1.
export async function load(backend, progress) {
  onProgress = progress;
  return (await ask({ load: backend }, undefined)).backend;
}

// ImageData, weights of the styles and values of the coefficients to { image,
// milliseconds }. The ImageData cannot be used again.
export async function stylize({ data, width, height }, style, coefficients) {
  const id = ++requests;
  const { pixels, milliseconds } = await ask(
    { id, pixels: data, width, height, style, coefficients },
    id,
    [data.buffer],
  );
  return { image: new ImageData(pixels, width, height), milliseconds };
}
