"use strict";
// All data come as text: nothing here makes HTML of a string.
const page = JSON.parse(document.getElementById("data").textContent);
const words = page.words;
const SIDES = ["right", "missed", "wrong", "accepted"];
const PAGE = 20, WHOLE = 800, AROUND = 60, BEGINNING = 160;
const [PLACE, NAME, SCORE, LENGTH, PARTS, MARKS, LINES, CLASSES, KINDS, WEIGHTS] = Array(10).keys();
const DEFAULTS = { q: "", class: "", kind: "", show: "wrong", sort: "worst", page: "1", place: "" };
const ORDERS = {
  worst: (a, b) => a[SCORE] - b[SCORE],
  best: (a, b) => b[SCORE] - a[SCORE],
  shortest: (a, b) => a[LENGTH] - b[LENGTH],
  longest: (a, b) => b[LENGTH] - a[LENGTH],
  place: () => 0,
};
const SHOWS = {
  wrong: (row) => row[SCORE] < page.rightFrom,
  all: () => true,
  right: (row) => row[SCORE] >= page.rightFrom,
  attributed: (row) => row[WEIGHTS] !== null,
};
const by = (id) => document.getElementById(id);
const filled = (sentence, ...values) => sentence.replace(/\{\}/g, () => values.shift());
const number = (value) => value.toLocaleString("en");
let state = { ...DEFAULTS };
let found = [];

function element(name, className, ...content) {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.append(...content);
  return made;
}

// What the address says, and back

function readAddress() {
  const asked = location.hash.startsWith("#errors?") ? new URLSearchParams(location.hash.slice(8)) : null;
  if (asked === null) return false; // another part of the page
  state = { ...DEFAULTS };
  for (const key of Object.keys(DEFAULTS)) if (asked.has(key)) state[key] = asked.get(key);
  if (!Object.hasOwn(ORDERS, state.sort)) state.sort = DEFAULTS.sort;
  if (!Object.hasOwn(SHOWS, state.show)) state.show = DEFAULTS.show;
  return true;
}

function address() {
  const asked = new URLSearchParams();
  for (const key of Object.keys(DEFAULTS)) if (state[key] !== DEFAULTS[key]) asked.set(key, state[key]);
  return "#errors?" + asked;
}

// Which rows

const haystacks = [];
function haystack(row) {
  const place = row[PLACE] - 1;
  if (haystacks[place] === undefined) {
    const texts = row[PARTS].filter((_, at) => at % 2).map((text) => whole(page.texts[text]));
    haystacks[place] = [row[NAME], ...texts, ...row[LINES].filter((_, at) => at % 2 === 0)].join("\n").toLowerCase();
  }
  return haystacks[place];
}

const whole = (text) => (typeof text === "string" ? text : text.p.filter((_, at) => at % 2).join("\n"));

function find() {
  const wanted = state.q.toLowerCase().split(/\s+/).filter(Boolean);
  const className = state.class && page.classes.findIndex(([name]) => name === state.class);
  const kind = state.kind && page.kinds.findIndex(([name]) => name === state.kind);
  const isShown = SHOWS[state.show];
  found = page.rows.filter((row) => state.place
    ? String(row[PLACE]) === state.place
    : isShown(row) && (className === "" || row[CLASSES].includes(className)) && (kind === "" || row[KINDS].includes(kind))
      && wanted.every((word) => haystack(row).includes(word)));
  found.sort((a, b) => ORDERS[state.sort](a, b) || a[PLACE] - b[PLACE]);
}

// A row

function shownRow(row) {
  const grade = element("span", "grade", words.score + " " + row[SCORE].toFixed(3));
  const place = element("a", "place", "#" + row[PLACE]);
  place.href = "#errors?place=" + row[PLACE];
  const header = element("header", "", place, grade, filled(words.characters, number(row[LENGTH])));
  if (row[NAME] && row[NAME] !== String(row[PLACE])) header.append(element("span", "name", row[NAME]));
  for (const one of row[KINDS]) header.append(element("span", "chip kind", page.kinds[one][1]));
  for (const one of row[CLASSES]) header.append(element("span", "chip", page.classes[one][1]));
  const article = element("article", "", header);
  row[PARTS].forEach((text, at) => at % 2 && article.append(shownPart(row, (at - 1) / 2, page.titles[row[PARTS][at - 1]], text)));
  if (row[WEIGHTS] && !row[LINES].some((side, at) => at % 2 && (side === 0 || side === 2))) header.append(element("span", "chip", words.ofGold));
  const lines = element("ul", "lines");
  row[LINES].forEach((side, at) => {
    if (at % 2) lines.append(element("li", SIDES[side], element("b", "", words.lines[side]), element("span", "", row[LINES][at - 1])));
  });
  if (!lines.children.length) lines.append(element("li", "accepted", words.nothing));
  article.append(lines);
  return article;
}

function shownPart(row, at, title, textNumber) {
  const marks = [];
  for (let from = 0; from < row[MARKS].length; from += 5) {
    const [part, start, end, label, side] = row[MARKS].slice(from, from + 5);
    if (part === at) marks.push({ start, end, label: page.labels[label][0], short: page.labels[label][1], side });
  }
  const weights = row[WEIGHTS] && row[WEIGHTS][at];
  const text = page.texts[textNumber];
  const block = element("p", "text");
  block.dir = "auto";
  if (weights) block.classList.add("weighable");
  draw(block, text, marks, weights, false);
  const part = element("section", title === page.tableTitle ? "part table" : "part", block);
  if (row[PARTS].length > 2) part.prepend(element("h4", "", title));
  return part;
}

function draw(block, text, marks, weights, unfolded) {
  const pieces = typeof text === "string" ? [0, text] : text.p;
  const size = typeof text === "string" ? text.length : text.n;
  const ranges = unfolded || size <= WHOLE ? [[0, size]] : windows(marks, size);
  block.replaceChildren();
  if (!size) return block.append(element("span", "empty", words.empty));
  let shown = 0;
  for (const [from, to] of ranges) {
    if (from > shown) block.append(folded(from - shown));
    shown = Math.max(shown, from);
    for (let at = 0; at < pieces.length; at += 2) {
      const start = Math.max(from, pieces[at]), end = Math.min(to, pieces[at] + pieces[at + 1].length);
      if (start >= end) continue;
      if (start > shown) block.append(left(start - shown));
      segments(block, pieces[at + 1], pieces[at], start, end, marks, weights);
      shown = end;
    }
    if (to > shown) block.append(left(to - shown));
    shown = to;
  }
  if (size > shown) block.append(folded(size - shown));

  function folded(count) {
    const button = element("button", "more", filled(words.folded, number(count)));
    button.type = "button";
    button.onclick = () => draw(block, text, marks, weights, true);
    return button;
  }
}

const left = (count) => element("span", "gap", " " + filled(words.left, number(count)) + " ");

function windows(marks, size) {
  const wanted = [[0, BEGINNING], ...marks.map(({ start, end }) => [Math.max(0, start - AROUND), Math.min(size, end + AROUND)])];
  wanted.sort((a, b) => a[0] - b[0]);
  const merged = [];
  for (const [start, end] of wanted) {
    const last = merged[merged.length - 1];
    if (last && start <= last[1] + AROUND) last[1] = Math.max(last[1], end);
    else merged.push([start, end]);
  }
  return merged;
}

// The characters from `start` to before `end`, a span wherever marks, weights or what was searched for change.
function segments(block, piece, offset, start, end, marks, weights) {
  const inside = marks.filter((mark) => mark.start < end && mark.end > start);
  const cuts = new Set([start, end]);
  for (const mark of inside) for (const at of [mark.start, mark.end]) if (at > start && at < end) cuts.add(at);
  const hits = occurrences(piece.slice(start - offset, end - offset), start);
  for (const [from, to] of hits) cuts.add(from).add(to);
  const points = weights && offset === 0 ? pointsOf(piece) : null;
  if (points) for (let at = start; at < end; at++) if (at === 0 || points[at] !== points[at - 1]) cuts.add(at);
  const places = [...cuts].sort((a, b) => a - b);
  for (let at = 0; at + 1 < places.length; at++) {
    const from = places[at], to = places[at + 1];
    const covering = inside.filter((mark) => mark.start <= from && mark.end >= to);
    const weight = points ? weights[points[from]] || 0 : 0;
    const isHit = hits.some(([first, last]) => first <= from && to <= last);
    const content = piece.slice(from - offset, to - offset);
    if (!covering.length && !weight && !isHit) {
      block.append(content);
      continue;
    }
    const span = element("span", "", content);
    if (covering.length) span.classList.add("mark", ...new Set(covering.map((mark) => SIDES[mark.side])));
    if (isHit) span.classList.add("found");
    if (covering.length) span.title = [...new Set(covering.map((mark) => words[SIDES[mark.side]] + ": " + mark.label))].join("\n");
    const ending = [...new Set(covering.filter((mark) => mark.end === to).map((mark) => mark.short))];
    if (weight) {
      span.classList.add(weight > 0 ? "plus" : "minus");
      span.style.setProperty("--weight", (0.85 * Math.abs(weight)).toFixed(3));
      if (!covering.length) span.title = weight.toFixed(3);
    }
    block.append(span);
    if (ending.length && page.named) {
      const names = element("span", "after"); // not as text, which would be copied and found with the text
      names.dataset.after = ending.slice(0, 2).join(", ") + (ending.length > 2 ? " …" : "");
      block.append(names);
    }
  }
}

// For each unit of UTF-16 the number of its character.
function pointsOf(text) {
  const points = [];
  let count = 0;
  for (const character of text) {
    for (let unit = 0; unit < character.length; unit++) points.push(count);
    count++;
  }
  return points;
}

function occurrences(text, offset) {
  const places = [], low = text.toLowerCase();
  if (low.length !== text.length) return places;
  for (const word of state.q.toLowerCase().split(/\s+/).filter(Boolean)) {
    for (let at = low.indexOf(word); at >= 0 && places.length < 200; at = low.indexOf(word, at + word.length)) {
      places.push([offset + at, offset + at + word.length]);
    }
  }
  return places;
}

// The list

function show() {
  const last = Math.max(1, Math.ceil(found.length / PAGE));
  const current = Math.min(Math.max(1, parseInt(state.page, 10) || 1), last);
  state.page = String(current);
  const first = (current - 1) * PAGE;
  by("list").replaceChildren(...found.slice(first, first + PAGE).map(shownRow));
  const count = found.length
    ? filled(words.count, number(first + 1), number(Math.min(first + PAGE, found.length)), number(found.length), number(page.rows.length))
    : words.none;
  for (const pager of document.querySelectorAll(".pager")) {
    pager.querySelector(".count").textContent = count;
    pager.querySelector(".previous").disabled = current === 1;
    pager.querySelector(".next").disabled = current === last;
  }
  by("one").hidden = !state.place;
  for (const key of ["q", "class", "kind", "show", "sort"]) if (by(key).value !== state[key]) by(key).value = state[key];
}

function change(part) {
  state = { ...state, page: "1", place: "", ...part };
  history.replaceState(null, "", address());
  find();
  show();
}

function turn(by_) {
  change({ page: String(Number(state.page) + by_), place: state.place });
  by("errors").scrollIntoView();
}

function options(select, values) {
  for (const [value, name] of values) {
    const option = element("option", "", name);
    option.value = value;
    select.append(option);
  }
  if (select.options.length < 2) select.closest("label").hidden = true;
}

function foldTables() {
  for (const table of document.querySelectorAll("table[data-fold]")) {
    const rows = [...table.tBodies[0].rows].slice(Number(table.dataset.fold));
    for (const row of rows) row.hidden = true;
    const button = element("button", "unfold", filled(words.unfold, rows.length));
    button.type = "button";
    button.onclick = () => { for (const row of rows) row.hidden = false; button.remove(); };
    table.after(button);
  }
}

function start() {
  const counts = (key, at) => page.rows.reduce((sum, row) => { for (const one of row[key]) sum[one] = (sum[one] || 0) + 1; return sum; }, []);
  const classCounts = counts(CLASSES), kindCounts = counts(KINDS);
  const sorted = (values) => values.sort((a, b) => b[2] - a[2]).map(([value, name, count]) => [value, `${name} (${number(count)})`]);
  options(by("class"), sorted(page.classes.map(([name, shown], at) => [name, shown, classCounts[at] || 0])));
  options(by("kind"), sorted(page.kinds.map(([name, shown], at) => [name, shown, kindCounts[at] || 0])));
  if (!page.rows.some((row) => row[WEIGHTS])) {
    by("show").querySelector("[value=attributed]").remove();
    by("weights").closest("label").hidden = true;
    by("weight-legend").hidden = true;
  }
  by("names").closest("label").hidden = !page.named;
  foldTables();
  const scroll = readAddress();
  find();
  show();
  if (scroll) by("errors").scrollIntoView();
  let timer = 0;
  by("q").addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(() => change({ q: by("q").value }), 120); });
  for (const key of ["class", "kind", "show", "sort"]) by(key).addEventListener("change", () => change({ [key]: by(key).value }));
  by("names").addEventListener("change", () => by("list").classList.toggle("nameless", !by("names").checked));
  by("weights").addEventListener("change", () => by("list").classList.toggle("weighed", by("weights").checked));
  by("one").addEventListener("click", () => change({}));
  for (const pager of document.querySelectorAll(".pager")) {
    pager.querySelector(".previous").addEventListener("click", () => turn(-1));
    pager.querySelector(".next").addEventListener("click", () => turn(1));
  }
  addEventListener("hashchange", () => { if (readAddress()) { find(); show(); by("errors").scrollIntoView(); } });
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName)) return;
    if (event.key === "/") { event.preventDefault(); by("q").focus(); }
    if (event.key === "ArrowRight" && !document.querySelector(".next").disabled) turn(1);
    if (event.key === "ArrowLeft" && !document.querySelector(".previous").disabled) turn(-1);
  });
}

start();
