// The paintings to click and the dials.

const { styles, first, dials } = JSON.parse(
  document.getElementById("description").textContent,
);
const form = document.querySelector("form");
const share = document.getElementById("share");
// One style, or two that are mixed.
let chosen = [first];
let changed = () => {};
const paintings = styles.map(addPainting);
const inputs = dials.map(addDial);

function titled(index) {
  const words = styles[index].replaceAll("_", " ");
  return words[0].toUpperCase() + words.slice(1);
}

// A button with what the style makes of the photograph.
function addPainting(name, index) {
  const button = document.createElement("button");
  const picture = new Image(144, 81);
  picture.src = `styles/${index}.jpg`;
  picture.alt = "";
  button.type = "button";
  button.append(picture, titled(index));
  button.addEventListener("click", () => {
    choose(index);
    changed();
  });
  document.getElementById("paintings").append(button);
  return button;
}

// The last two that were clicked; one of these again leaves it alone.
function choose(index) {
  chosen = chosen.includes(index) ? [index] : [...chosen, index].slice(-2);
}

// A slider over the quantiles of what a coefficient was trained on.
function addDial({ name, label, values }) {
  const dial = document.createElement("div");
  dial.className = "dial";
  const [text, output, input] = ["label", "output", "input"].map((tag) =>
    document.createElement(tag),
  );
  Object.assign(input, { type: "range", id: name, min: 0, max: values.length - 1 });
  input.defaultValue = Math.floor(values.length / 2);
  text.htmlFor = output.htmlFor = name;
  text.textContent = label;
  dial.append(text, output, input);
  document.getElementById("dials").append(dial);
  return input;
}

function showValues() {
  const titles = chosen.map(titled);
  document.getElementById("chosen").textContent = titles.join(" and ");
  for (const [index, button] of paintings.entries()) {
    button.setAttribute("aria-pressed", chosen.includes(index));
  }
  document.getElementById("mixture").hidden = chosen.length === 1;
  const [label, output] = form.querySelectorAll("#mixture label, #mixture output");
  label.textContent = `Share of ${titles.at(-1)}`;
  output.value = `${share.value} %`;
  for (const [index, input] of inputs.entries()) {
    input.previousElementSibling.value = value(index).toPrecision(2);
  }
}

function value(index) {
  return dials[index].values[inputs[index].value];
}

// Weights of the styles and values of the coefficients, as the network wants them.
export function settings() {
  const style = styles.map(() => 0);
  const part = chosen.length === 1 ? 0 : share.value / 100;
  style[chosen[0]] = 1 - part;
  if (part) style[chosen[1]] = part;
  return { style, coefficients: inputs.map((_, index) => value(index)) };
}

// One style and dials, drawn as in training.
export function draw() {
  chosen = [Math.floor(Math.random() * styles.length)];
  for (const input of inputs) {
    input.value = Math.round(Math.random() * input.max);
  }
  showValues();
}

// Calls a listener when something was chosen and while a slider moves.
export function onChange(listener) {
  changed = () => {
    showValues();
    listener();
  };
  form.addEventListener("input", changed);
  for (const select of form.querySelectorAll("select")) {
    // Programs that drive a browser send no other event.
    select.addEventListener("change", changed);
  }
  form.addEventListener("reset", () => {
    chosen = [first];
    // The controls are reset after the event.
    setTimeout(changed);
  });
}

showValues();
