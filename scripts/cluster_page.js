"use strict";
// Texts are strangers': they reach the page as text alone, never as markup.
const data = JSON.parse(document.getElementById("data").textContent);
const canvas = document.getElementById("map"), shown = document.getElementById("shown");
const colour = (cluster) => `hsl(${(cluster * 137.508) % 360} 65% ${cluster % 2 ? 42 : 55}%)`;
const made = (name, text) => Object.assign(document.createElement(name), text === undefined ? {} : { textContent: text });
const buttons = [], started = shown.textContent;
let alone = null, kept = null, places = [];

document.getElementById("title").textContent = data.title;
data.clusters.forEach((cluster, number) => {
  const item = made("li"), button = made("button"), dot = made("i"), list = made("ul");
  dot.style.background = colour(number);
  const words = made("span", `${cluster.words.join("  ")}  (${cluster.size.toLocaleString()})`);
  button.append(dot, made("b", `${number + 1}`), words);
  button.addEventListener("click", () => { alone = alone === number ? null : number; kept = null; draw(); });
  list.append(...cluster.texts.map((text) => made("li", text)));
  item.append(button, list);
  buttons.push(button);
  document.getElementById("clusters").append(item);
});

function draw() {
  const scale = window.devicePixelRatio || 1, width = canvas.clientWidth, height = canvas.clientHeight;
  canvas.width = width * scale;
  canvas.height = height * scale;
  const pen = canvas.getContext("2d");
  pen.scale(scale, scale);
  places = data.points.map(([x, y]) => [12 + x * (width - 24), 12 + y * (height - 24)]);
  const order = data.points.map((_, number) => number).filter((number) => alone === null || data.points[number][2] === alone);
  if (alone !== null) dots(pen, data.points.map((_, number) => number), () => "#e4e4e4");
  dots(pen, order, (number) => colour(data.points[number][2]));
  if (kept !== null) {
    pen.beginPath();
    pen.arc(...places[kept], 6, 0, 2 * Math.PI);
    pen.stroke();
  }
  buttons.forEach((button, number) => button.setAttribute("aria-pressed", String(number === alone)));
}

function dots(pen, numbers, fill) {
  for (const number of numbers) {
    pen.fillStyle = fill(number);
    pen.fillRect(places[number][0] - 2, places[number][1] - 2, 4, 4);
  }
}

function nearest(event) {
  let found = null, least = 100;
  places.forEach(([x, y], number) => {
    if (alone !== null && data.points[number][2] !== alone) return;
    const distance = (x - event.offsetX) ** 2 + (y - event.offsetY) ** 2;
    if (distance < least) [found, least] = [number, distance];
  });
  return found;
}

function show(number) {
  if (number === null) { shown.textContent = started; return; }
  const [, , cluster, text, probability] = data.points[number];
  shown.textContent = `${text}\n${cluster + 1}: ${data.clusters[cluster].words.join(" ")}  (${probability.toFixed(2)})`;
}

canvas.addEventListener("mousemove", (event) => { if (kept === null) show(nearest(event)); });
canvas.addEventListener("click", (event) => { kept = nearest(event); show(kept); draw(); });
window.addEventListener("resize", draw);
draw();
