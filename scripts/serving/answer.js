"use strict";

// How an answer is shown.

// The numbers of a query, as in the contest's task.py.
const AGGREGATIONS = ["", "AVG", "MAX", "MIN", "COUNT", "SUM"], OPERATORS = [">", "<", "==", "!="];
const MOST_ROWS = 20;

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
  return [make("div", {className: "wide"}, make("table", {className: "told"}, make("thead", {}, head), make("tbody", {}, ...body)))];
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
    const others = told.answer.spo_list.map(({object: {"@value": value, ...rest}}) => rest);
    const isMore = others.some((one) => Object.keys(one).length);
    const rows = told.answer.spo_list.map((one, number) => {
      const more = Object.entries(others[number]).map(([slot, text]) => `${slot}: ${text}`).join("；");
      const texts = [one.subject, one.predicate, one.object["@value"], ...(isMore ? [more] : [])];
      return [...cells(...texts), probability(told.scores[number]?.probability)];
    });
    return table(["subject", "predicate", "object", ...(isMore ? ["others"] : []), "probability"], rows);
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
