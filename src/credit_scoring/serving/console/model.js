// Which model decides, how it was promoted, and its card.

import { facts, h, tag, wideTable } from "./dom.js";
import { figure, number, score, sentence, time, words } from "./format.js";
import { markdown } from "./markdown.js";

const FIGURES = new Set(["Figure", "Interval"]);

export function mountModel(view, shared) {
  const { champion, challenger, policy, promotion } = shared.model;
  view.append(
    h("div", { class: "grid" }, held("Champion", champion), held("Challenger", challenger), policyCard(policy)),
    h("div", { class: "stack" },
      promotion ? promotionCard(promotion) : h("div", { class: "card" }, h("h2", {}, "Promotion"), h("p", { class: "muted" }, "No promotion record is packed with this service.")),
      cards(champion, challenger)));
}

function held(title, one) {
  if (!one) return h("div", { class: "card" }, h("h2", {}, title), h("p", { class: "muted" }, "None is loaded."));
  const from = one.provenance ?? {};
  return h("div", { class: "card" }, h("h2", {}, title), facts([
    ["Model", `${one.model.name} version ${one.model.version}`],
    ["Family", one.family],
    ["Artifact", h("code", {}, one.model.digest.slice(0, 16))],
    ["Code", from.git_revision ? h("code", {}, from.git_revision.slice(0, 12), from.git_dirty ? " with changes" : "") : null],
    ["Data", from.data_digest ? h("code", {}, from.data_digest.slice(0, 16)) : null],
    ["Just-approved score", one.reference_score === null ? null : score(one.reference_score)],
  ]));
}

function policyCard(policy) {
  return h("div", { class: "card" }, h("h2", {}, "Policy"), facts([
    ["Version", h("code", {}, policy.version)],
    ["Approved from", `${policy.approve_from} points`],
    ["Declined below", `${policy.decline_below} points`],
    ["Scale", `${policy.base_score} points are ${policy.base_odds} good to 1 bad; ${policy.pdo} more double it`],
  ]),
  policy.rules.length ? [h("h3", {}, "Rules"), h("ul", { class: "plain small" }, policy.rules.map((rule) => h("li", {}, tag(rule.outcome), ` ${rule.text}`)))] : null);
}

function promotionCard(record) {
  const holder = (one) => (one ? `version ${one.version}, ${one.family}` : "none");
  const candidates = record.candidates ?? [];
  return h("div", { class: "card" }, h("h2", {}, record.kind === "rollback" ? "Rollback" : "Promotion"),
    h("p", {}, sentence(record.decision)),
    facts([
      ["When", time(record.created_at)], ["By", record.actor],
      ["Champion before", holder(record.before?.champion)], ["Champion after", holder(record.champion)],
      ["Challenger after", holder(record.challenger)],
      ["Record", h("code", {}, String(record.digest).slice(0, 16))],
      ["Record before", record.previous ? h("code", {}, record.previous.slice(0, 16)) : "none: this is the first"],
    ]),
    candidates.map(gates),
    h("p", { class: "small muted" }, "Records before this one are kept beside the model registry; ", h("code", {}, "kedro run --pipelines history"), " lists them."));
}

function gates(candidate) {
  const rows = (candidate.gates ?? []).map((gate) => h("tr", {},
    h("th", { scope: "row" }, words(gate.name)),
    h("td", {}, tag(gate.passed ? "passed" : "failed")),
    h("td", { class: "number" }, figure(gate.figure)),
    h("td", { class: "number" }, gate.low === null || gate.high === null ? "" : `${figure(gate.low)} to ${figure(gate.high)}`),
    h("td", {}, gate.threshold), h("td", { class: "small muted" }, gate.why)));
  const failed = (candidate.gates ?? []).filter((gate) => !gate.passed).length;
  return h("details", {},
    h("summary", {}, `Version ${candidate.version}, ${candidate.family}: AUC ${number(candidate.auc)}; ${rows.length - failed} of ${rows.length} gates passed`),
    wideTable(h("table", {}, h("caption", { class: "unseen" }, `Gates of version ${candidate.version}`),
      h("thead", {}, h("tr", {}, ["Gate", "Verdict", "Figure", "Interval", "Asked for", "Why"].map((name) => h("th", { scope: "col", class: FIGURES.has(name) ? "number" : null }, name)))),
      h("tbody", {}, rows)), `Gates of version ${candidate.version}`));
}

function cards(...models) {
  const known = models.filter((one) => one?.card);
  return known.map((one) => h("details", { class: "card model-card", open: one === known[0] },
    h("summary", {}, `Model card: version ${one.model.version}, ${one.model.role}`), markdown(one.card, 2)));
}
