// Arrays of a `.safetensors` file: a JSON header, then the bytes of one after another.

const TYPES = {
  F32: Float32Array,
  I64: BigInt64Array,
  I32: Int32Array,
  I16: Int16Array,
  U16: Uint16Array,
  I8: Int8Array,
  U8: Uint8Array,
};

// {group: {name: typed array}} of an ArrayBuffer; each array has its `shape`. Integers of
// 64 bits become doubles, which hold those of a release exactly.
export function readArrays(buffer) {
  const length = Number(new DataView(buffer).getBigUint64(0, true));
  const header = JSON.parse(
    new TextDecoder().decode(new Uint8Array(buffer, 8, length)),
  );
  const groups = {};
  for (const [path, { dtype, shape, data_offsets: offsets }] of Object.entries(
    header,
  )) {
    if (path === "__metadata__") continue;
    const [begin, end] = offsets.map((offset) => 8 + length + offset);
    let array = new TYPES[dtype](buffer.slice(begin, end));
    if (dtype === "I64") array = Float64Array.from(array, Number);
    array.shape = shape;
    const slash = path.indexOf("/");
    groups[path.slice(0, slash)] ??= {};
    groups[path.slice(0, slash)][path.slice(slash + 1)] = array;
  }
  return groups;
}
