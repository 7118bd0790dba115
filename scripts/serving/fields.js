"use strict";

// What is typed, and what is made of it.

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
