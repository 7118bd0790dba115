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

// What is typed, by contest: [key, rows of the field, name]. A field of one row is an input.
const FIELDS = {
  lic2020_relation_extraction: [["text", 6, "text"]],
  lic2020_event_extraction: [["text", 6, "text"]],
  ccks2019_entity_linking: [["text", 4, "text"]],
  seq2seq_titling: [["content", 10, "article"]],
  lic2020_reading_comprehension: [["question", 1, "question"], ["context", 9, "context"]],
  webqa_dgcnn: [["question", 1, "question"], ["passages", 10, "passages"]],
  nl2sql: [["question", 1, "question"], ["table", 11, "table field"]],
};

// The numbers of a query, as in the contest's task.py.
const AGGREGATIONS = ["", "AVG", "MAX", "MIN", "COUNT", "SUM"], OPERATORS = [">", "<", "==", "!="];
const MOST_ROWS = 20;

// From a record to what stands in a field, and back.

function shownIn(key, value) {
  if (key === "passages") return value.map((one) => one.passage.replace(/\s+/g, " ")).join("\n");
  if (key === "table") return [value.header, ...value.rows].map((row) => row.map(cellText).join("\t")).join("\n");
  return value ?? "";
}

function cellText(cell) {
  return String(cell ?? "").replace(/[\t\r\n]/g, " ");
}

function typedIn(key, text) {
  if (key === "passages") return text.split("\n").filter((line) => line.trim()).map((line) => ({passage: line}));
  if (key === "table") return parsedTable(text);
  return text;
}

// Rows of a table that was pasted: tabs, or commas with quotation marks as spreadsheets write them.
function parsedTable(text) {
  const firstLine = text.trimStart().split("\n")[0];
  const rows = firstLine.includes("\t") ? text.split(/\r?\n/).map((line) => line.split("\t")) : parsedCsv(text);
  const [header, ...cells] = rows.filter((row) => row.some((cell) => cell.trim()));
  if (!header) throw new Error(word("no table"));
  const width = header.length;
  const filled = cells.map((row) => Array.from({length: width}, (_, column) => row[column] ?? ""));
  return {header: header.map((name) => name.trim()), rows: filled};
}

function parsedCsv(text) {
  const rows = [[""]];
  let quoted = false;
  for (let place = 0; place < text.length; place++) {
    const row = rows[rows.length - 1], letter = text[place];
    if (quoted) {
      if (letter !== '"') row[row.length - 1] += letter;
      else if (text[place + 1] === '"') { row[row.length - 1] += '"'; place++; } else quoted = false;
    } else if (letter === '"' && !row[row.length - 1]) quoted = true;
    else if (letter === "," || letter === "，") row.push("");
    else if (letter === "\n") rows.push([""]);
    else if (letter !== "\r") row[row.length - 1] += letter;
  }
  return rows;
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

// The answer

function showAnswer() {
  const {task, told, milliseconds} = last;
  say(`${milliseconds} ${word("milliseconds")}`);
  const parts = [];
  const said = SAID[task](told);
  parts.push(...(told.lines.length || task === "nl2sql" ? said : [make("p", {textContent: word("nothing found")}), ...said]));
  const kinds = new Map();
  told.texts.forEach(([name, text], number) => {
    const marks = told.marks.filter((mark) => mark[0] === number);
    const isTable = task === "nl2sql" && name === "table";
    const nodes = isTable ? markedTable(told.answer, kinds) : [make("p", {className: "text"}, ...marked(text, marks, kinds))];
    parts.push(make("h3", {textContent: partName(name)}), ...nodes);
  });
  if (told.lines.length) parts.push(whySection());
  const record = make("pre", {textContent: JSON.stringify(told.answer, null, 1)});
  parts.push(make("details", {}, make("summary", {textContent: word("record")}), record));
  element("answer").replaceChildren(...parts);
}

function partName(name) {
  const [, kind, number] = /^(\S+)(?: (\d+))?$/.exec(name) ?? [null, name, ""];
  return [word(kind), number].filter(Boolean).join(" ");
}

// Labels are class names with an English word behind, or that alone.
function labelText(label) {
  const known = ["subject", "object", "trigger", "answer", "value", "copied"];
  const cut = label.lastIndexOf(" "), behind = label.slice(cut + 1);
  if (known.includes(behind)) return (cut < 0 ? "" : `${label.slice(0, cut)} `) + word(behind);
  const [before, ...rest] = label.split(" ");
  return ["selected", "condition"].includes(before) ? [word(before), ...rest].join(" ") : label;
}

// A text in which pieces are marked; where several overlap, one inside of the other. Offsets count characters as Python
// does: one beyond the first 65,536 is one.
function marked(text, marks, kinds) {
  const letters = Array.from(text);
  const edges = [...new Set([0, letters.length, ...marks.flatMap((mark) => [mark[1], mark[2]])])].sort((a, b) => a - b);
  const nodes = [];
  edges.slice(0, -1).forEach((begin, index) => {
    const end = edges[index + 1];
    const inside = marks.filter((mark) => mark[1] <= begin && end <= mark[2]);
    let piece = document.createTextNode(letters.slice(begin, end).join(""));
    for (const label of [...new Set(inside.map((mark) => mark[3]))].reverse()) {
      if (!kinds.has(label)) kinds.set(label, kinds.size % 8);
      piece = make("mark", {className: `k${kinds.get(label)}`, title: labelText(label)}, piece);
    }
    nodes.push(piece);
    const ending = [...new Set(inside.filter((mark) => mark[2] === end).map((mark) => labelText(mark[3])))];
    if (ending.length) nodes.push(make("span", {className: "tag", textContent: ending.join("、")}));
  });
  return nodes;
}

// The table that was typed, its first rows, with the columns of a query and the cells that it asks for.
function markedTable(query, kinds) {
  const {header, rows} = last.example.table;
  const says = header.map(() => []);
  query.sel.forEach((column, at) => says[column]?.push(`${word("selected")} ${AGGREGATIONS[query.agg[at]] ?? ""}`.trim()));
  query.conds.forEach(([column, operator]) => says[column]?.push(`${word("condition")} ${OPERATORS[operator] ?? ""}`.trim()));
  const kind = (text, label) => {
    if (!kinds.has(label)) kinds.set(label, kinds.size % 8);
    return make("mark", {className: `k${kinds.get(label)}`}, text);
  };
  const head = header.map((name, column) => says[column].length
    ? make("th", {scope: "col"}, kind(name, query.sel.includes(column) ? "selected" : "condition"),
      make("span", {className: "tag", textContent: says[column].join("、")}))
    : make("th", {scope: "col", textContent: name}));
  const body = rows.slice(0, MOST_ROWS).map((row) => make("tr", {}, ...row.map((cell, column) => {
    const isAsked = query.conds.some(([where, , value]) => where === column && cell.trim() === value);
    return make("td", {}, isAsked ? kind(cell, "value") : cell);
  })));
  const more = rows.length > MOST_ROWS ? [make("p", {className: "hint", textContent: `… (${rows.length})`})] : [];
  const whole = make("table", {}, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...body));
  return [make("div", {className: "wide"}, whole), ...more];
}

function probability(value) {
  if (value === null || value === undefined) return make("td", {className: "number", textContent: "–"});
  const meter = make("meter", {min: 0, max: 1, value});
  return make("td", {className: "number"}, meter, value.toFixed(3));
}

function cells(...texts) {
  return texts.map((text) => make("td", {textContent: text}));
}

function table(names, rows) {
  if (!rows.length) return [];
  const head = make("tr", {}, ...names.map((name) => make("th", {scope: "col", textContent: word(name)})));
  const body = rows.map((row) => make("tr", {}, ...row));
  return [make("div", {className: "wide"}, make("table", {}, make("thead", {}, head), make("tbody", {}, ...body)))];
}

function titled(name, nodes) {
  return nodes.length ? [make("h3", {textContent: word(name)}), ...nodes] : [];
}

function best(told) {
  return told.lines.map((line) => make("p", {className: "said", textContent: line}));
}

function candidates(told, withPassage) {
  const rows = told.scores.map((one) => [
    ...cells(one.text, ...(withPassage ? [`${one.passage + 1}`] : [])), probability(one.probability),
  ]);
  return titled("candidates", table(["answer", ...(withPassage ? ["passage"] : []), "probability"], rows));
}

// What is said of an answer above the texts, by contest.
const SAID = {
  lic2020_relation_extraction(told) {
    const rows = told.answer.spo_list.map((one, number) => {
      const {"@value": value, ...others} = one.object;
      const more = Object.entries(others).map(([slot, text]) => `${slot}: ${text}`).join("；");
      return [...cells(one.subject, one.predicate, value, more), probability(told.scores[number]?.probability)];
    });
    return table(["subject", "predicate", "object", "others", "probability"], rows);
  },
  lic2020_event_extraction(told) {
    const rows = told.answer.event_list.map((one) => {
      const list = one.arguments.map((each) => make("div", {textContent: `${each.role}: ${each.argument}`}));
      return [...cells(one.event_type, one.trigger ?? "–"), make("td", {}, ...list)];
    });
    return table(["event", "trigger", "arguments"], rows);
  },
  lic2020_reading_comprehension: (told) => [...best(told), ...candidates(told, false)],
  webqa_dgcnn: (told) => [...best(told), ...candidates(told, true)],
  ccks2019_entity_linking(told) {
    const rows = told.answer.mention_data.map((one, number) => {
      const {probability: sure, entities} = told.scores[number];
      const list = entities.map((each) => make("div", {textContent: `${each.name}  ${each.probability.toFixed(3)}`}));
      return [...cells(one.mention, one.offset), probability(sure), make("td", {}, ...list)];
    });
    return table(["mention", "offset", "probability", "entities"], rows);
  },
  nl2sql(told) {
    const line = make("p", {className: "said sql", textContent: told.lines.join(" ")});
    const named = [...told.answer.sel.map(() => "selected"), ...told.answer.conds.map(() => "condition")];
    const header = last.example.table.header;
    const numbers = [...told.answer.sel, ...told.answer.conds.map((one) => one[0])];
    const values = [...told.answer.sel.map(() => ""), ...told.answer.conds.map((one) => one[2])];
    const rows = named.map((kind, at) => [
      ...cells(word(kind), header[numbers[at]] ?? "", values[at]), probability(told.scores[at]?.probability),
    ]);
    return [line, ...titled("parts", table(["part", "column", "value", "probability"], rows))];
  },
  seq2seq_titling(told) {
    const rows = told.scores.map((one) => [
      ...cells(one.title), make("td", {className: "number", textContent: one.log_probability.toFixed(2)}),
    ]);
    return [...best(told), ...titled("titles", table(["title", "log-probability"], rows))];
  },
};

// Attributions

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
