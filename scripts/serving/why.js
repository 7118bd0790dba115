"use strict";

// Which characters spoke for an answer.

function whySection() {
  const section = make("div", {id: "why"});
  const button = make("button", {type: "button", textContent: word("why")});
  button.addEventListener("click", () => explain(null));
  section.append(button);
  if (last.why) section.append(...whyNodes(last.why));
  return section;
}

async function explain(output) {
  const asking = last, {name, example} = last;
  for (const button of document.querySelectorAll("#why button")) button.disabled = true;
  say(word("why working"));
  try {
    const told = await asked(`attributions/${encodeURIComponent(name)}`, {examples: [example], output});
    if (last !== asking) return;
    last.why = told.attributions[0];
    showAnswer();
    element("why").scrollIntoView({block: "nearest"});
  } catch (error) {
    if (last !== asking) return;
    showAnswer();
    say(error.message, true);
  }
}

function whyNodes({outputs, output, texts, attributions}) {
  const chosen = [[null, word("all")], ...outputs.map((name, number) => [number, name])];
  const buttons = chosen.map(([number, name]) => {
    const button = make("button", {type: "button", textContent: name, className: "output"});
    button.setAttribute("aria-pressed", String(number === output));
    button.addEventListener("click", () => explain(number));
    return button;
  });
  const largest = Math.max(1e-9, ...attributions.flat().map(Math.abs));
  const nodes = [make("h3", {textContent: word("gradients")}), make("p", {className: "buttons"}, ...buttons)];
  texts.forEach(([name, text], number) => {
    if (!attributions[number].some((value) => value)) return;
    const letters = Array.from(text).map((letter, place) => weighed(letter, attributions[number][place] ?? 0, largest));
    nodes.push(make("h3", {textContent: partName(name)}), make("p", {className: "text"}, ...letters));
  });
  return nodes;
}

// The stronger the colour, the more a character spoke for the answer (green), or against it (red).
function weighed(letter, value, largest) {
  const node = make("span", {textContent: letter, title: value.toFixed(3)});
  const share = Math.round(70 * Math.abs(value) / largest);
  if (share > 2) node.style.backgroundColor = `color-mix(in srgb, var(${value > 0 ? "--for" : "--against"}) ${share}%, transparent)`;
  return node;
}
