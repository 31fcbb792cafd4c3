// The few symbols that are not zero among those that are expected to be, see
// `yoto_tf.zoo.codec.coding.outliers`.

const MAX_BYTES = 5;
const LARGEST = 2 ** 30;

// Places, ascending, and values other than zero to an array of bytes.
export function writeOutliers(positions, values) {
  const bytes = [];
  const write = (number) => {
    for (; number >= 0x80; number = Math.floor(number / 0x80))
      bytes.push((number % 0x80) + 0x80);
    bytes.push(number);
  };
  write(positions.length);
  let next = 0;
  positions.forEach((position, place) => {
    write(position - next);
    write(2 * Math.abs(values[place]) - 2 + Number(values[place] < 0));
    next = position + 1;
  });
  return bytes;
}

// What `writeOutliers` wrote, at the beginning of some data: { positions, values, rest }.
export function readOutliers(data) {
  let place = 0;
  const read = () => {
    let number = 0;
    for (let length = 0; length < MAX_BYTES && place < data.length; length++) {
      const byte = data[place++];
      number += (byte % 0x80) * 0x80 ** length;
      if (byte < 0x80) {
        if (length && !byte) break;
        return number;
      }
    }
    throw new Error("The .yoto file is damaged: a number in it is not whole.");
  };
  const count = read();
  if (count > Math.floor(data.length / 2)) {
    throw new Error("The .yoto file is damaged: it has fewer outliers than it says.");
  }
  const positions = [];
  const values = [];
  let next = 0;
  for (let outlier = 0; outlier < count; outlier++) {
    const position = next + read();
    const code = read();
    const magnitude = Math.floor(code / 2) + 1;
    if (magnitude >= LARGEST) {
      throw new Error("The .yoto file is damaged: one of its symbols is out of range.");
    }
    positions.push(position);
    values.push(code % 2 ? -magnitude : magnitude);
    next = position + 1;
  }
  return { positions, values, rest: data.subarray(place) };
}
