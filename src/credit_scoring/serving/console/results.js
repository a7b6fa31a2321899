// The decisions of a file: filtered, sorted, a page at a time.

import { h, tag, wideTable } from "./dom.js";
import { count, decided, percent, score } from "./format.js";

const PAGE = 50;
const COLUMNS = [
  ["row", "Row"], ["loan_id", "Application"], ["decision", "Decision"], ["score", "Score"],
  ["band", "Band"], ["pd", "PD"], ["says", "Reasons or errors"],
];
const NUMBERS = new Set(["row", "score", "pd"]);

export function resultTable(rows) {
  const state = { decision: "", text: "", by: "row", up: true, page: 0 };
  const body = h("tbody");
  const shown = h("p", { class: "small muted", role: "status" });
  const pages = h("div", { class: "row" });
  const heads = COLUMNS.map(([name, title]) => head(name, title, () => {
    state.up = state.by === name ? !state.up : true;
    state.by = name;
    draw();
  }));

  function draw() {
    const found = sorted(rows.filter((row) => fits(row, state)), state);
    const last = Math.max(Math.ceil(found.length / PAGE) - 1, 0);
    state.page = Math.min(state.page, last);
    const from = state.page * PAGE;
    body.replaceChildren(...found.slice(from, from + PAGE).map(line));
    shown.textContent = found.length
      ? `${count(found.length)} of ${count(rows.length)} rows; showing ${count(from + 1)} to ${count(Math.min(from + PAGE, found.length))}`
      : `none of ${count(rows.length)} rows`;
    heads.forEach((one) => one.setAttribute("aria-sort", one.dataset.name === state.by ? (state.up ? "ascending" : "descending") : "none"));
    pages.replaceChildren(turn("Previous", -1, state.page === 0), turn("Next", 1, state.page === last));
  }

  const turn = (word, step, disabled) => h("button", { type: "button", class: "quiet small-button", disabled, onclick: () => {
    state.page += step;
    draw();
  } }, word);
  const filter = (name) => (event) => {
    Object.assign(state, { [name]: event.target.value, page: 0 });
    draw();
  };
  const table = h("table", { class: "results" }, h("caption", { class: "unseen" }, "Decisions, row by row"),
    h("thead", {}, h("tr", {}, heads)), body);
  draw();
  return h("div", { class: "card" }, h("h2", {}, "Rows"), filters(filter), shown, wideTable(table, "Decisions, row by row"), pages);
}

function filters(filter) {
  const choice = h("select", { id: "filter-decision", onchange: filter("decision") },
    h("option", { value: "" }, "all"), Object.entries(decided).map(([value, label]) => h("option", { value }, label)),
    h("option", { value: "error" }, "Not decided, with errors"));
  return h("div", { class: "fields" },
    h("div", { class: "field" }, h("label", { for: "filter-decision" }, "Decision"), choice),
    h("div", { class: "field" }, h("label", { for: "filter-text" }, "Application or reason contains"),
      h("input", { id: "filter-text", type: "search", autocomplete: "off", oninput: filter("text") })));
}

function head(name, title, sort) {
  return h("th", { scope: "col", class: NUMBERS.has(name) ? "number" : null, "data-name": name },
    h("button", { type: "button", class: "sort", onclick: sort }, title));
}

function fits(row, { decision, text }) {
  const wanted = text.trim().toLowerCase();
  return (!decision || row.decision === decision) &&
    (!wanted || row.loan_id.toLowerCase().includes(wanted) || row.says.toLowerCase().includes(wanted));
}

function sorted(rows, { by, up }) {
  const sign = up ? 1 : -1;
  return [...rows].sort((a, b) => {
    // What is missing comes last, either way.
    if (a[by] === null || b[by] === null) return (a[by] === null) - (b[by] === null) || a.row - b.row;
    const order = NUMBERS.has(by) ? a[by] - b[by] : a[by].localeCompare(b[by], "en", { numeric: true });
    return sign * order || a.row - b.row;
  });
}

function line(row) {
  return h("tr", {},
    h("td", { class: "number" }, count(row.row)),
    h("th", { scope: "row" }, row.loan_id),
    h("td", {}, tag(row.decision === "error" ? "failed" : row.decision, decided[row.decision] ?? "Not decided")),
    h("td", { class: "number" }, score(row.score)),
    h("td", {}, row.band ?? ""),
    h("td", { class: "number" }, percent(row.pd)),
    h("td", { class: "says small" }, row.says));
}
