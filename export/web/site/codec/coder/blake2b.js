// BLAKE2b without a key, RFC 7693. A 64-bit word is two 32-bit numbers, the lower first.

const IV = Uint32Array.of(
  0xf3bcc908,
  0x6a09e667,
  0x84caa73b,
  0xbb67ae85,
  0xfe94f82b,
  0x3c6ef372,
  0x5f1d36f1,
  0xa54ff53a,
  0xade682d1,
  0x510e527f,
  0x2b3e6c1f,
  0x9b05688c,
  0xfb41bd6b,
  0x1f83d9ab,
  0x137e2179,
  0x5be0cd19,
);
const SIGMA = [
  [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
  [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
  [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
  [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
  [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
  [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
  [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
  [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
  [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
  [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
];
const BLOCK = 128;
// The columns and the diagonals of the state's 4×4 words.
const QUARTERS = [
  [0, 4, 8, 12],
  [1, 5, 9, 13],
  [2, 6, 10, 14],
  [3, 7, 11, 15],
  [0, 5, 10, 15],
  [1, 6, 11, 12],
  [2, 7, 8, 13],
  [3, 4, 9, 14],
];

// The first `size` bytes, at most 64, of a digest that has so many.
export function blake2b(bytes, size) {
  const state = IV.slice();
  state[0] ^= 0x01010000 ^ size;
  const blocks = Math.max(Math.ceil(bytes.length / BLOCK), 1);
  for (let block = 0; block < blocks; block++) {
    const padded = new Uint8Array(BLOCK);
    padded.set(bytes.subarray(block * BLOCK, (block + 1) * BLOCK));
    const last = block === blocks - 1;
    compress(state, padded, last ? bytes.length : (block + 1) * BLOCK, last);
  }
  const view = new DataView(new ArrayBuffer(64));
  state.forEach((word, place) => view.setUint32(4 * place, word, true));
  return new Uint8Array(view.buffer, 0, size);
}

function compress(state, block, count, last) {
  const words = new Uint32Array(32);
  const view = new DataView(block.buffer);
  for (let place = 0; place < 32; place++)
    words[place] = view.getUint32(4 * place, true);
  const v = new Uint32Array(32);
  v.set(state);
  v.set(IV, 16);
  v[24] ^= count % 2 ** 32;
  v[25] ^= Math.floor(count / 2 ** 32);
  if (last) {
    v[28] = ~v[28];
    v[29] = ~v[29];
  }
  for (let round = 0; round < 12; round++) {
    const order = SIGMA[round % 10];
    for (let quarter = 0; quarter < 8; quarter++) {
      const [a, b, c, d] = QUARTERS[quarter];
      mix(
        v,
        2 * a,
        2 * b,
        2 * c,
        2 * d,
        words,
        2 * order[2 * quarter],
        2 * order[2 * quarter + 1],
      );
    }
  }
  for (let place = 0; place < 16; place++) state[place] ^= v[place] ^ v[place + 16];
}

function mix(v, a, b, c, d, words, x, y) {
  add(v, a, v[b], v[b + 1]);
  add(v, a, words[x], words[x + 1]);
  rotated(v, d, v[d + 1] ^ v[a + 1], v[d] ^ v[a], 0);
  add(v, c, v[d], v[d + 1]);
  rotated(v, b, v[b] ^ v[c], v[b + 1] ^ v[c + 1], 24);
  add(v, a, v[b], v[b + 1]);
  add(v, a, words[y], words[y + 1]);
  rotated(v, d, v[d] ^ v[a], v[d + 1] ^ v[a + 1], 16);
  add(v, c, v[d], v[d + 1]);
  // By 63 to the right is by 1 to the left: by 31 with the halves exchanged.
  rotated(v, b, v[b + 1] ^ v[c + 1], v[b] ^ v[c], 31);
}

function add(v, place, low, high) {
  const sum = v[place] + low;
  v[place] = sum;
  v[place + 1] += high + (sum >= 2 ** 32 ? 1 : 0);
}

// Sets a word to another, turned to the right by 0 to 31 bits.
function rotated(v, place, low, high, count) {
  if (count === 0) {
    v[place] = low;
    v[place + 1] = high;
    return;
  }
  v[place] = (low >>> count) | (high << (32 - count));
  v[place + 1] = (high >>> count) | (low << (32 - count));
}
