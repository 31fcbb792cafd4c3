// The choice of styles and the dials.

const { styles, dials } = JSON.parse(
  document.getElementById("description").textContent,
);
const form = document.querySelector("form");
const [first, second, share] = ["first", "second", "share"].map((id) =>
  document.getElementById(id),
);
const inputs = dials.map(addDial);

first.append(...styles.map((name, index) => new Option(titled(name), index)));
second.append(
  new Option("nothing", ""),
  ...styles.map((name, index) => new Option(titled(name), index)),
);

function titled(name) {
  const words = name.replaceAll("_", " ");
  return words[0].toUpperCase() + words.slice(1);
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
  document.getElementById("mixture").hidden = second.value === "";
  for (const [index, input] of inputs.entries()) {
    input.previousElementSibling.value = value(index).toPrecision(2);
  }
  share.previousElementSibling.value = `${share.value} %`;
}

function value(index) {
  return dials[index].values[inputs[index].value];
}

// Weights of the styles and values of the coefficients, as the network wants them.
export function settings() {
  const style = styles.map(() => 0);
  const part = second.value === "" ? 0 : share.value / 100;
  style[first.value] += 1 - part;
  if (part) style[second.value] += part;
  return { style, coefficients: inputs.map((_, index) => value(index)) };
}

// One style and dials, drawn as in training.
export function draw() {
  first.selectedIndex = Math.floor(Math.random() * styles.length);
  second.value = "";
  for (const input of inputs) {
    input.value = Math.round(Math.random() * input.max);
  }
  showValues();
}

// Calls a listener when something was chosen and while a slider moves.
export function onChange(listener) {
  const changed = () => {
    showValues();
    listener();
  };
  form.addEventListener("input", changed);
  for (const select of form.querySelectorAll("select")) {
    // Programs that drive a browser send no other event.
    select.addEventListener("change", changed);
  }
  // The controls are reset after the event.
  form.addEventListener("reset", () => setTimeout(changed));
}

showValues();
