// The form of an application: plain columns as fields, numbered ones as a table.

import { freshId, h, wideTable } from "./dom.js";
import { field, rangeOf } from "./fields.js";
import { nameOf, words } from "./format.js";

const NUMBERED = /^(.+)_(\d+)$/;

export function applicationForm(contract) {
  const fields = new Map();
  const make = (column, options) => {
    const made = field(column, options);
    fields.set(column.name, made);
    return made.element;
  };
  const of = (...roles) => contract.columns.filter((column) => roles.includes(column.role));
  const element = h("div", {},
    h("fieldset", {}, h("legend", {}, "Application"),
      h("div", { class: "fields" }, of("id", "application").map((column) => make(column)))),
    history(of("history"), make),
    optional("Dates", of("date"), make),
    optional("Protected attributes: optional, never used for the decision", of("protected"), make));
  return { element, fields, ...asWhole(fields, contract) };
}

function asWhole(fields, contract) {
  return {
    read: () => read(fields, contract),
    write: (application) => {
      for (const [name, one] of fields) one.write(application[name]);
    },
    complain: (errors) => complain(fields, errors),
  };
}

function read(fields, contract) {
  const given = {};
  for (const [name, one] of fields) {
    const value = one.read();
    if (value !== undefined) given[name] = value;
  }
  const history = contract.columns.filter((column) => column.role === "history");
  const some = history.some((column) => column.name in given);
  for (const column of contract.columns) {
    const asked = column.required || (some && column.role === "history");
    if (asked && column.nullable && !(column.name in given)) given[column.name] = null;
  }
  return given;
}

// Puts each error at its field; gives those that belong to none, and goes to the first.
function complain(fields, errors) {
  for (const one of fields.values()) one.complain("");
  const elsewhere = [];
  let first = null;
  for (const { field: name, message } of errors) {
    const one = fields.get(name);
    if (!one) elsewhere.push(`${name}: ${message}`);
    else {
      one.complain(message);
      const closed = one.element.closest("details");
      if (closed) closed.open = true;
      first ??= one.control;
    }
  }
  first?.focus();
  return elsewhere;
}

function optional(title, columns, make) {
  if (columns.length === 0) return null;
  return h("details", {}, h("summary", {}, title), h("div", { class: "fields" }, columns.map((column) => make(column))));
}

function history(columns, make) {
  if (columns.length === 0) return null;
  const stems = [...new Set(columns.map((column) => NUMBERED.exec(column.name)?.[1] ?? ""))];
  const numbers = [...new Set(columns.map((column) => NUMBERED.exec(column.name)?.[2] ?? ""))];
  const complete = stems.length * numbers.length === columns.length && !stems.includes("");
  return h("fieldset", {}, h("legend", {}, "Account history"),
    h("p", { class: "hint" }, "All of it, or nothing: without it the service looks the history up by the identifier."),
    complete
      ? table(columns, stems, numbers, make)
      : h("div", { class: "fields" }, columns.map((column) => make(column))),
    meanings(columns));
}

function table(columns, stems, numbers, make) {
  const byName = new Map(columns.map((column) => [column.name, column]));
  const heads = new Map(stems.map((stem) => [stem, freshId(stem)]));
  const rows = numbers.map((n) => {
    const id = freshId("month");
    const cell = (stem) =>
      h("td", {}, make(byName.get(`${stem}_${n}`), { compact: true, label: `${heads.get(stem)} ${id}` }));
    return h("tr", {}, h("th", { scope: "row", id }, rowName(n, byName.get(`${stems[0]}_${n}`))), stems.map(cell));
  });
  const head = stems.map((stem) => {
    const { unit } = byName.get(`${stem}_${numbers[0]}`);
    return h("th", { scope: "col", id: heads.get(stem) }, unit ? `${words(stem)}, ${unit}` : words(stem));
  });
  const made = h("table", { class: "history" },
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "No."), head)),
    h("tbody", {}, rows));
  return wideTable(made, "Account history");
}

// The contract's description may call a month the newest or the oldest.
function rowName(n, column) {
  const said = /\((newest|oldest)\)/.exec(column.description);
  return said ? [n, h("span", { class: "muted small" }, ` ${said[1]}`)] : n;
}

function meanings(columns) {
  return h("details", { class: "small" }, h("summary", {}, "What the columns mean"),
    h("dl", { class: "facts" }, columns.map((column) => [
      h("dt", {}, nameOf(column)),
      h("dd", {}, column.description, column.categories ? "" : ` ${rangeOf(column)}.`),
    ])));
}
