// Fields made from the contract: one for each column, with its unit, range and meaning.

import { freshId, h } from "./dom.js";
import { nameOf, number, words } from "./format.js";

const NUMBER = /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/;

// A field: its element, its value as a request has it, and what is wrong with it.
export function field(column, { compact = false, label = null } = {}) {
  const id = freshId(column.name);
  const error = h("p", { class: "error", id: `${id}-error` });
  const hint = compact ? null : h("p", { class: "hint", id: `${id}-hint` }, hintOf(column));
  const control = controlOf(column, id);
  control.setAttribute("aria-describedby", hint ? `${id}-hint ${id}-error` : `${id}-error`);
  if (column.required) control.setAttribute("aria-required", "true");
  if (label) control.setAttribute("aria-labelledby", label);
  else if (compact) control.setAttribute("aria-label", words(column.name));
  const name = label || compact ? null : h("label", { for: id }, nameOf(column));
  return {
    column,
    control,
    element: h("div", { class: compact ? "cell" : "field" }, name, control, hint, error),
    read: () => valueOf(column, control.value),
    write: (value) => {
      control.value = value ?? "";
    },
    complain: (message) => {
      error.textContent = message;
      if (message) control.setAttribute("aria-invalid", "true");
      else control.removeAttribute("aria-invalid");
    },
  };
}

function controlOf(column, id) {
  if (column.categories) {
    const options = column.categories.map(({ value, label }) =>
      h("option", { value }, String(value) === label ? label : `${value}: ${label}`),
    );
    return h("select", { id }, h("option", { value: "" }, "not given"), options);
  }
  if (column.type === "date") return h("input", { id, type: "date" });
  const keyboard = column.type === "string" ? "text" : "decimal";
  return h("input", { id, type: "text", inputmode: keyboard, autocomplete: "off", spellcheck: "false" });
}

// Undefined where nothing is given. What is no number goes as text, and the service says so.
function valueOf(column, text) {
  const given = text.trim();
  if (given === "") return undefined;
  if (column.type === "string" || column.type === "date") return given;
  return NUMBER.test(given) ? Number(given) : given;
}

export function rangeOf(column) {
  const { minimum: low, maximum: high, unit } = column;
  const tail = unit ? ` ${unit}` : "";
  if (low !== null && high !== null) return `${number(low)} to ${number(high)}${tail}`;
  if (low !== null) return `at least ${number(low)}${tail}`;
  if (high !== null) return `at most ${number(high)}${tail}`;
  return unit ?? "";
}

function hintOf(column) {
  const range = column.categories ? "" : rangeOf(column);
  return range ? `${column.description} ${range}.` : column.description;
}
