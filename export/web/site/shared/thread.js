// The model in its worker, as functions that the page can wait for.

// A worker that is loaded from an address has a policy of its own, one that is made here
// has that of the page.
const base = new URL(".", import.meta.url).href;
const start = `self.base = ${JSON.stringify(base)}; importScripts(base + "worker.js");`;
const script = URL.createObjectURL(new Blob([start], { type: "text/javascript" }));
const worker = new Worker(script);
const waiting = new Map();
let requests = 0;
let onLoad;

worker.onmessage = ({ data }) => {
  if ("loaded" in data) {
    onLoad(data.loaded);
    return;
  }
  const { resolve, reject, report } = waiting.get(data.id);
  if ("progress" in data) {
    report(data.progress);
    return;
  }
  waiting.delete(data.id);
  if ("error" in data) reject(new Error(data.error));
  else resolve(data);
};

worker.onerror = (event) => {
  for (const { reject } of waiting.values()) {
    reject(new Error(event.message || "worker.js cannot be loaded"));
  }
};

function send(message, transfer, report) {
  return new Promise((resolve, reject) => {
    waiting.set(message.id, { resolve, reject, report });
    worker.postMessage(message, transfer);
  });
}

// Loads the model onto a backend of TensorFlow.js, or the fastest for null, and gives
// that one's name. The function is told how much has come, from 0 to 1.
export async function load(backend, description, progress) {
  onLoad = progress;
  return (await send({ load: backend, description }, [])).backend;
}

// Asks the model, see `model.js`; what is transferred cannot be used again.
export async function ask(request, transfer = [], report = () => {}) {
  return (await send({ ...request, id: ++requests }, transfer, report)).answer;
}
