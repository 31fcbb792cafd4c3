// The camera, and pixels of it and of pictures.

// The network's smallest side.
const SMALLEST = 16;
const canvas = document.createElement("canvas");
const context = canvas.getContext("2d", { willReadFrequently: true });

// ImageData of an ImageBitmap or a playing video, at most `longest` pixels a side.
export function pixelsOf(source, longest) {
  const width = source.videoWidth ?? source.width;
  const height = source.videoHeight ?? source.height;
  const scale = Math.min(1, longest / Math.max(width, height));
  canvas.width = Math.max(SMALLEST, Math.round(scale * width));
  canvas.height = Math.max(SMALLEST, Math.round(scale * height));
  context.imageSmoothingQuality = "high";
  // What is transparent becomes white.
  context.fillStyle = "white";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(source, 0, 0, canvas.width, canvas.height);
  return context.getImageData(0, 0, canvas.width, canvas.height);
}

// A playing video of the camera.
export async function openCamera() {
  if (!navigator.mediaDevices) {
    throw new Error("Browsers give a webcam only to pages that came over HTTPS.");
  }
  const video = document.createElement("video");
  video.muted = true;
  video.playsInline = true;
  try {
    video.srcObject = await navigator.mediaDevices.getUserMedia({
      video: { width: { ideal: 640 }, facingMode: "user" },
    });
    await video.play();
  } catch (error) {
    throw new Error(`The webcam cannot be used: ${error.message}`);
  }
  return video;
}

export function closeCamera(video) {
  for (const track of video.srcObject.getTracks()) track.stop();
}
