// Where pictures come from: files that are chosen, dropped or pasted.

// An ImageBitmap of a File or Blob.
export async function openPicture(file, name) {
  try {
    return await createImageBitmap(file);
  } catch {
    throw new Error(`${name} is not a picture that this browser can read.`);
  }
}

// Calls a function with every file that is chosen in an input, dropped onto the page, of
// which an element shows the sign, or pasted.
export function onFile(input, frame, open) {
  const first = ([file]) => file && open(file);
  input.addEventListener("change", () => {
    first(input.files);
    input.value = "";
  });
  addEventListener("dragover", (event) => {
    event.preventDefault();
    frame.classList.add("dropping");
  });
  addEventListener("dragleave", () => frame.classList.remove("dropping"));
  addEventListener("drop", (event) => {
    event.preventDefault();
    frame.classList.remove("dropping");
    first(event.dataTransfer.files);
  });
  addEventListener("paste", (event) => first(event.clipboardData.files));
}

// Has the browser save a Blob.
export function save(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}
