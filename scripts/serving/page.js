"use strict";

// The page of scripts/serve.py. Whatever comes from the server or the user becomes text by textContent, and never HTML.

const element = (id) => document.getElementById(id);
let language = "en", runs = [], samples = {}, places = {}, last = null;

function word(name) {
  return WORDS[language][name] ?? name;
}

// make("td", {className: "number"}, "text", child)
function make(kind, properties = {}, ...content) {
  const node = document.createElement(kind);
  Object.assign(node, properties);
  node.append(...content);
  return node;
}

// Fields

function currentRun() {
  return runs.find((one) => one.name === element("run").value) ?? runs[0];
}

function showFields(values = {}) {
  const task = currentRun().task;
  element("asking").textContent = word(task);
  element("fields").replaceChildren(...FIELDS[task].map(([key, rows, name]) => {
    const field = rows === 1 ? make("input", {type: "text"}) : make("textarea", {rows, className: `typed-${key}`});
    Object.assign(field, {id: `field-${key}`, name: key, spellcheck: false, value: values[key] ?? ""});
    return make("div", {}, make("label", {htmlFor: field.id, textContent: word(name)}), field);
  }));
}

function typed() {
  return Object.fromEntries(FIELDS[currentRun().task].map(([key]) => [key, element(`field-${key}`).value]));
}

async function showSample() {
  const {name, task} = currentRun();
  if (!samples[name]) samples[name] = (await asked(`samples/${encodeURIComponent(name)}`)).examples;
  if (currentRun().name !== name || !samples[name].length) return;
  places[name] = ((places[name] ?? -1) + 1) % samples[name].length;
  const record = samples[name][places[name]];
  showFields(Object.fromEntries(FIELDS[task].map(([key]) => [key, shownIn(key, record[key])])));
}

// The server

async function asked(path, body) {
  const options = body === undefined ? {} : {
    method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(body),
  };
  let response;
  try { response = await fetch(path, options); } catch { throw new Error(word("no connection")); }
  const told = await response.json().catch(() => ({}));
  if (!response.ok) throw new Error(told.error ?? `${response.status}`);
  return told;
}

function say(text, isWrong = false) {
  element("status").textContent = text;
  element("status").className = isWrong ? "wrong" : "";
}

async function ask() {
  const {name, task} = currentRun(), values = typed();
  if (Object.values(values).some((value) => !value.trim())) return say(word("nothing typed"), true);
  element("ask").disabled = true;
  element("answer").replaceChildren();
  say(word("working"));
  const begun = performance.now();
  try {
    const example = Object.fromEntries(Object.entries(values).map(([key, value]) => [key, typedIn(key, value)]));
    const told = await asked(`predict/${encodeURIComponent(name)}`, {examples: [example], shown: true});
    last = {task, name, example, told: told.answers[0], milliseconds: Math.round(performance.now() - begun)};
    showAnswer();
    const result = element("result");  // below the fields where the screen is small
    if (result.getBoundingClientRect().top > 0.7 * innerHeight) result.scrollIntoView();
  } catch (error) {
    last = null;
    say(error.message, true);
  } finally {
    element("ask").disabled = false;
  }
}

// Language

function speak(chosen) {
  language = chosen;
  document.documentElement.lang = chosen === "zh" ? "zh-CN" : "en";
  document.title = word("heading");
  for (const node of document.querySelectorAll("[data-word]")) node.textContent = word(node.dataset.word);
  for (const option of element("run").options) {
    const run = runs.find((one) => one.name === option.value);
    option.textContent = `${word(run.task)} – ${run.name}`;
  }
  if (!runs.length) return;
  showFields(element("fields").childElementCount ? typed() : {});
  if (last) showAnswer();
}

async function start() {
  const wanted = document.documentElement.dataset.language || (navigator.language ?? "en");
  speak(wanted.toLowerCase().startsWith("zh") ? "zh" : "en");
  try {
    runs = (await asked("runs")).runs;
    element("run").replaceChildren(...runs.map((run) => make("option", {value: run.name})));
    speak(language);
    await showSample();
  } catch (error) { say(error.message, true); }
}

function forget() {
  last = null;
  element("answer").replaceChildren();
  say("");
}

element("form").addEventListener("submit", (event) => { event.preventDefault(); ask(); });
element("form").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !element("ask").disabled) { event.preventDefault(); ask(); }
});
element("another").addEventListener("click", () => { forget(); showSample().catch((error) => say(error.message, true)); });
element("clear").addEventListener("click", () => { forget(); showFields(); element("fields").querySelector("input, textarea").focus(); });
element("run").addEventListener("change", () => { forget(); showFields(); places[currentRun().name] = -1; showSample().catch((error) => say(error.message, true)); });
element("language").addEventListener("click", () => speak(language === "zh" ? "en" : "zh"));
start();
