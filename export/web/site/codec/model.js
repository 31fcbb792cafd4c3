// The codec in a worker, see `worker.js`.
//
// Asked: { compress: { pixels, width, height, coefficient } } with RGBA pixels, or
//        { decompress: bytes }. Whatever was asked before is given up.
// Answer: what `compress` and `decompress` in `codec.js` give.

async function openModel(network, description) {
  const [{ Codec }, tables] = await Promise.all([
    import(base + "codec.js"),
    fetch(base + "tables.safetensors").then((answer) => answer.arrayBuffer()),
  ]);
  const codec = new Codec(description, network, tables);
  let latest;
  return {
    trial: () => codec.compress(new ImageData(16, 16), description.range[0], () => {}),
    answer: async ({ id, compress, decompress }, report) => {
      latest = id;
      const progress = (done) => {
        if (id !== latest) throw new Error("Something else was asked.");
        report(done);
      };
      const answer = compress
        ? await codec.compress(imageData(compress), compress.coefficient, progress)
        : await codec.decompress(decompress, progress);
      const transfer = [answer.image.data.buffer];
      if (answer.file) transfer.push(answer.file.buffer);
      return { answer, transfer };
    },
  };
}

function imageData({ pixels, width, height }) {
  return new ImageData(pixels, width, height);
}
