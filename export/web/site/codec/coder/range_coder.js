// The range coder of `yoto_tf.entropy`, to the same bytes.
//
// Martin, "Range coding: an algorithm for removing redundancy from a digitised message",
// 1979, in 32-bit arithmetic with output in 16-bit words; integers outside of a table as
// an escape symbol, an Elias gamma code and a sign. All numbers are integers below 2^53,
// which a double holds exactly.

const WHOLE = 2 ** 32;
const WORD = 2 ** 16;
const MAX_DIGITS = 30;
const LIMIT = 2 ** MAX_DIGITS;

// Symbol frequencies as a release has them, see `yoto_tf.entropy.CodingTables`.
export class CodingTables {
  constructor({ frequencies, lengths, offsets, precision }) {
    const { length } = lengths;
    this.length = length;
    this.total = 2 ** precision[0];
    this.offsets = offsets;
    // The last symbol of each table.
    this.escapes = Uint32Array.from(lengths, (count) => count - 1);
    // Where the summed frequencies of each table begin, with 0.
    this.starts = new Uint32Array(length);
    this.sums = new Uint32Array(frequencies.length + length);
    let from = 0;
    let to = 0;
    for (let table = 0; table < length; table++) {
      this.starts[table] = to;
      let sum = 0;
      for (let symbol = 0; symbol < lengths[table]; symbol++) {
        this.sums[to++] = sum;
        sum += frequencies[from++];
      }
      this.sums[to++] = sum;
    }
  }
}

export class RangeEncoder {
  #tables;
  #words = [];
  #base = 0;
  #size = WHOLE;

  constructor(tables) {
    this.#tables = tables;
  }

  // Encodes an integer under a table.
  encode(value, table) {
    const { escapes, offsets, starts, sums, total } = this.#tables;
    const symbol = value - offsets[table];
    if (!(Math.abs(symbol) < LIMIT)) {
      throw new Error("A symbol is too large to be coded.");
    }
    const escape = escapes[table];
    const escaped = symbol < 0 || symbol >= escape;
    const place = starts[table] + (escaped ? escape : symbol);
    this.#narrow(sums[place], sums[place + 1], total);
    if (escaped)
      this.#encodeEscaped(symbol < 0 ? -symbol : symbol - escape + 1, symbol < 0);
  }

  #encodeEscaped(gamma, negative) {
    const digits = gamma.toString(2);
    for (const bit of "0".repeat(digits.length - 1) + digits + Number(negative)) {
      this.#narrow(Number(bit), Number(bit) + 1, 2);
    }
  }

  #narrow(lower, upper, total) {
    const below = Math.floor((this.#size * lower) / total);
    this.#size = Math.floor((this.#size * upper) / total) - below;
    this.#base += below;
    if (this.#base >= WHOLE) {
      this.#base -= WHOLE;
      this.#carry();
    }
    if (this.#size <= WORD) {
      this.#words.push(Math.floor(this.#base / WORD));
      this.#base = (this.#base % WORD) * WORD;
      this.#size *= WORD;
    }
  }

  // Adds one to the last word, and on through words that overflow.
  #carry() {
    let last = this.#words.length - 1;
    while (this.#words[last] === WORD - 1) this.#words[last--] = 0;
    this.#words[last]++;
  }

  // All bytes, a Uint8Array. The shortest number inside of the last interval ends them:
  // the decoder reads zeros beyond the end.
  finish() {
    let end = [];
    if (this.#base + this.#size > WHOLE) {
      this.#carry();
      while (this.#words.at(-1) === 0) this.#words.pop();
      if (this.#words.at(-1) % 256 === 0) end = [this.#words.pop() / 256];
    } else {
      end = lastBytes(this.#base, this.#size);
    }
    const bytes = new Uint8Array(2 * this.#words.length + end.length);
    this.#words.forEach((word, place) => {
      bytes[2 * place] = word >> 8;
      bytes[2 * place + 1] = word & 255;
    });
    bytes.set(end, 2 * this.#words.length);
    return bytes;
  }
}

// Decodes what a RangeEncoder wrote, and nothing else.
export class RangeDecoder {
  #tables;
  #data;
  #taken = 0;
  #base = 0;
  #size = WHOLE;
  // Where the encoded number lies inside of the interval.
  #position;

  constructor(data, tables) {
    this.#tables = tables;
    this.#data = data;
    this.#position = this.#nextWord() * WORD + this.#nextWord();
  }

  // The next integer, under a table.
  decode(table) {
    const { escapes, offsets, starts, sums, total } = this.#tables;
    const start = starts[table];
    const escape = escapes[table];
    const fraction = Math.floor(((this.#position + 1) * total - 1) / this.#size);
    // The last symbol whose sum is not above it.
    let symbol = 0;
    let beyond = escape + 1;
    while (beyond - symbol > 1) {
      const middle = (symbol + beyond) >> 1;
      if (sums[start + middle] <= fraction) symbol = middle;
      else beyond = middle;
    }
    const below = Math.floor((this.#size * sums[start + symbol]) / total);
    this.#size = Math.floor((this.#size * sums[start + symbol + 1]) / total) - below;
    this.#base += below;
    this.#position -= below;
    if (this.#size <= WORD) this.#renormalize();
    if (symbol === escape) symbol = this.#decodeEscaped(escape);
    return symbol + offsets[table];
  }

  // Throws unless an encoder would have ended with exactly these bytes.
  finish() {
    const value = (this.#base + this.#position) % WHOLE;
    const base = this.#base % WHOLE;
    const { length } = this.#data;
    const read = 2 * (this.#taken - 2);
    let ended;
    if (base + this.#size > WHOLE) {
      ended = value === 0 && length <= read && this.#data.at(-1) !== 0;
    } else {
      const end = lastBytes(base, this.#size);
      const number = (end[0] ?? 0) * 2 ** 24 + (end[1] ?? 0) * 2 ** 16;
      ended = value === number && length === read + end.length;
    }
    if (!ended)
      throw new Error("The file is damaged: its symbols do not end where they should.");
  }

  #nextWord() {
    const place = 2 * this.#taken++;
    return (this.#data[place] ?? 0) * 256 + (this.#data[place + 1] ?? 0);
  }

  #renormalize() {
    this.#base = (this.#base % WORD) * WORD;
    this.#size *= WORD;
    this.#position = this.#position * WORD + this.#nextWord();
  }

  #decodeBit() {
    const half = Math.floor(this.#size / 2);
    const bit = this.#position >= half;
    if (bit) {
      this.#base += half;
      this.#position -= half;
      this.#size -= half;
    } else {
      this.#size = half;
    }
    if (this.#size <= WORD) this.#renormalize();
    return Number(bit);
  }

  #decodeEscaped(escape) {
    let digits = 1;
    while (digits <= MAX_DIGITS && !this.#decodeBit()) digits++;
    let gamma = 1;
    for (let digit = 1; digit < digits; digit++) gamma = 2 * gamma + this.#decodeBit();
    const symbol = this.#decodeBit() ? -gamma : escape + gamma - 1;
    if (Math.abs(symbol) >= LIMIT) {
      throw new Error("The file is damaged: one of its symbols is out of range.");
    }
    return symbol;
  }
}

// The shortest end of the encoded number, for an interval that does not wrap.
function lastBytes(base, size) {
  if (base === 0) return [];
  const top = Math.floor((base + 0xffffff) / 2 ** 24);
  if (top * 2 ** 24 < base + size) return [top];
  const word = Math.floor((base + 0xffff) / WORD);
  return [word >> 8, word & 255];
}
