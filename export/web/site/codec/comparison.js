// JPEG and WebP, as this browser writes them, in no more bytes than another file.

const KINDS = { JPEG: "image/jpeg", WebP: "image/webp" };

// Of an ImageData and a number of bytes for each kind that the browser writes { name,
// bytes, image, psnr }: the best picture in so many bytes or, where there is none, the
// smallest.
export async function alternatives(picture, bytes) {
  const canvas = canvasOf(picture);
  const found = [];
  for (const [name, type] of Object.entries(KINDS)) {
    const blob = await largest(canvas, type, bytes);
    if (blob.type !== type) continue;
    const image = pixelsOf(await createImageBitmap(blob));
    found.push({ name, bytes: blob.size, image, psnr: psnr(picture, image) });
  }
  return found;
}

async function largest(canvas, type, bytes) {
  const written = (quality) =>
    new Promise((resolve) => canvas.toBlob(resolve, type, quality / 100));
  let best = await written(0);
  for (let [low, high] = [0, 100]; high - low > 1;) {
    const middle = (low + high) >> 1;
    const blob = await written(middle);
    if (blob.size <= bytes) {
      low = middle;
      best = blob;
    } else {
      high = middle;
    }
  }
  return best;
}

// In dB; infinite for the same pixels.
export function psnr(first, second) {
  let sum = 0;
  for (let i = 0; i < first.data.length; i++) {
    // Not the transparency.
    if (i % 4 !== 3) sum += (first.data[i] - second.data[i]) ** 2;
  }
  const mean = sum / (3 * first.width * first.height);
  return 10 * Math.log10(255 ** 2 / mean);
}

// ImageData of an ImageBitmap, at most so many pixels a side, on white.
export function pixelsOf(bitmap, longest = Infinity) {
  const scale = Math.min(1, longest / Math.max(bitmap.width, bitmap.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(scale * bitmap.width));
  canvas.height = Math.max(1, Math.round(scale * bitmap.height));
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  context.fillStyle = "white";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

export function canvasOf(image, canvas = document.createElement("canvas")) {
  canvas.width = image.width;
  canvas.height = image.height;
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}
