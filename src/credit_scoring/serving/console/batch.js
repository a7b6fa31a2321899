// A file of applications: read here, decided in parts by the service, shown as a table.

import { Problem, post } from "./api.js";
import { readApplications } from "./applications_file.js";
import { csvOf } from "./csv.js";
import { figures, h, notice } from "./dom.js";
import { count, score } from "./format.js";
import { resultTable } from "./results.js";

const ROWS_AT_A_TIME = 250;
const TRIES = 5;
const SHORT_WAIT_MS = 1000;

export function mountBatch(view, shared) {
  const file = h("input", { type: "file", id: "batch-file", accept: ".csv,.json,.ndjson,text/csv,application/json" });
  const run = h("button", { type: "submit" }, "Decide on the file");
  const stop = h("button", { type: "button", class: "quiet", disabled: true }, "Stop");
  const status = h("div", { role: "status" });
  const results = h("div", { class: "stack" });
  const form = h("form", { class: "card", novalidate: true },
    h("div", { class: "field" }, h("label", { for: "batch-file" }, "File of applications"), file,
      h("p", { class: "hint" }, `CSV with a first line of column names (those of the contract or of its data files), or a JSON array. The file is read in this page; its rows go to the service in parts.`)),
    h("div", { class: "row" }, run, stop), status);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const aborting = new AbortController();
    stop.onclick = () => aborting.abort();
    [run.disabled, stop.disabled] = [true, false];
    results.replaceChildren();
    try {
      await decideFile(file.files[0], shared, { status, results, signal: aborting.signal });
    } catch (error) {
      status.replaceChildren(notice("bad", `${error.message}.`));
    } finally {
      [run.disabled, stop.disabled] = [false, true];
    }
  });
  view.append(form, results);
}

async function decideFile(file, shared, { status, results, signal }) {
  if (!file) throw new Error("choose a file first");
  const { applications, ignored } = readApplications(await file.text(), shared.contract);
  if (!Array.isArray(applications) || applications.length === 0) throw new Error("the file holds no applications");
  const progress = h("progress", { max: applications.length, value: 0, "aria-label": "Rows decided" });
  const line = h("p", { class: "small muted" });
  const left = ignored.length ? notice("warn", `Columns that are not in the contract were left out: ${ignored.slice(0, 12).join(", ")}.`) : null;
  status.replaceChildren(h("div", { class: "progress" }, progress, line), ...(left ? [left] : []));
  const rows = [];
  const size = Math.min(ROWS_AT_A_TIME, shared.contract.limits.batch_rows);
  for (let at = 0; at < applications.length && !signal.aborted; at += size) {
    const part = applications.slice(at, at + size);
    const answers = await decidePart(part, signal);
    answers.forEach((answer, place) => rows.push(rowOf(at + place + 1, part[place], answer)));
    progress.value = rows.length;
    line.textContent = `${count(rows.length)} of ${count(applications.length)} rows decided`;
  }
  if (signal.aborted) line.textContent += "; stopped";
  results.replaceChildren(summary(rows), download(rows, file.name), resultTable(rows));
}

// A busy service is asked again; a part that is refused is refused row by row.
async function decidePart(part, signal) {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await post("predict/batch?reasons=true", part);
    } catch (error) {
      const busy = error instanceof Problem && error.status === 503 && attempt < TRIES && !signal.aborted;
      if (!busy) return part.map(() => ({ error: { detail: error.message, errors: error.errors ?? [] } }));
      await new Promise((done) => setTimeout(done, SHORT_WAIT_MS));
    }
  }
}

function rowOf(place, application, answer) {
  const failed = answer.error;
  const said = failed && ((failed.errors ?? []).map((one) => `${one.field}: ${one.message}`).join("; ") || failed.detail);
  return {
    row: place,
    loan_id: String(answer.loan_id ?? application?.loan_id ?? ""),
    decision: failed ? "error" : answer.decision,
    score: answer.score ?? null,
    band: answer.band ?? null,
    pd: answer.pd ?? null,
    says: said ?? (answer.reasons ?? []).map((reason) => reason.text).join(" "),
    decision_id: answer.decision_id ?? "",
  };
}

function summary(rows) {
  const of = (decision) => rows.filter((row) => row.decision === decision).length;
  const scores = rows.map((row) => row.score).filter((value) => value !== null);
  const mean = scores.length ? scores.reduce((sum, value) => sum + value, 0) / scores.length : null;
  return h("div", { class: "card" }, h("h2", {}, "What came out"), figures([
    ["Rows", count(rows.length)], ["Approved", count(of("approve"))], ["Referred", count(of("refer"))],
    ["Declined", count(of("decline"))], ["Not decided", count(of("error"))], ["Mean score", score(mean)],
  ]));
}

function download(rows, name) {
  const columns = ["row", "loan_id", "decision", "score", "band", "pd", "says", "decision_id"];
  const save = () => {
    const text = csvOf([columns, ...rows.map((row) => columns.map((column) => row[column]))]);
    const address = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
    const link = h("a", { href: address, download: `${name.replace(/\.[^.]*$/, "")}-decisions.csv` });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(address), SHORT_WAIT_MS);
  };
  return h("div", { class: "card row spread" },
    h("p", { class: "muted small" }, "All rows with decision, score, reasons or errors, in the order of the file."),
    h("button", { type: "button", onclick: save }, "Download CSV"));
}
