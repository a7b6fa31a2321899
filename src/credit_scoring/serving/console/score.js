// One application: the form, the decision, its reasons, the letter.

import { post } from "./api.js";
import { empty, facts, h, notice } from "./dom.js";
import { applicationForm } from "./form.js";
import { percent, points, time, words } from "./format.js";
import { openLetter } from "./letter.js";
import { scale, verdict, waterfall } from "./picture.js";

export function mountScore(view, shared) {
  const form = applicationForm(shared.contract);
  const trouble = h("div", { role: "alert" });
  const result = h("div", { class: "stack", "aria-live": "polite" },
    empty("No decision yet", "The decision, its reasons and the letter appear here."));
  const send = h("button", { type: "submit" }, "Decide");

  async function decide(event) {
    event.preventDefault();
    send.disabled = true;
    try {
      const application = form.read();
      const answer = await post("predict?reasons=true", application);
      form.complain([]);
      trouble.replaceChildren();
      shared.application = application;
      result.replaceChildren(...decision(answer, application, shared));
    } catch (error) {
      const elsewhere = form.complain(error.errors ?? []);
      trouble.replaceChildren(notice("bad", [error.message, ...elsewhere].join(". "), "."));
    } finally {
      send.disabled = false;
    }
  }

  const clear = h("button", { type: "button", class: "quiet", onclick: () => {
    form.write({});
    form.complain([]);
    trouble.replaceChildren();
  } }, "Clear");
  const body = h("form", { class: "card", novalidate: true, onsubmit: decide },
    examples(shared, form), trouble, form.element, h("div", { class: "row" }, send, clear));
  view.append(h("div", { class: "columns" }, body, h("div", {}, result)));
}

function examples(shared, form) {
  const buttons = shared.contract.examples.map((example, place) =>
    h("button", { type: "button", class: "quiet small-button", onclick: () => {
      form.complain([]);
      form.write(example);
    } }, `Example ${place + 1}`));
  return h("div", { class: "row examples", role: "group", "aria-label": "Examples" },
    h("span", { class: "label" }, "Load"), buttons);
}

function decision(answer, application, shared) {
  const { policy } = shared.model;
  const again = h("a", { href: "#what-if", class: "button-link" }, "Try changes to it");
  const letter = answer.decision === "decline"
    ? h("button", { type: "button", class: "quiet", onclick: () => openLetter(answer, shared.contract) }, "Letter to the applicant")
    : null;
  return [
    h("div", { class: "card" }, verdict(answer), scale(policy, answer.score), h("div", { class: "row" }, letter, again)),
    h("div", { class: "card" }, h("h2", {}, "Reasons"), sentences(answer.reasons), way(answer, shared)),
    h("div", { class: "card" }, h("h2", {}, "Record"), record(answer)),
  ];
}

function sentences(reasons) {
  if (reasons.length === 0) return h("p", { class: "muted" }, "Nothing lowered this score.");
  return h("ol", { class: "reasons" }, reasons.map((reason) =>
    h("li", {}, h("p", {}, reason.text),
      h("p", { class: "hint" },
        [reason.points === null ? "rule of the policy" : `${points(reason.points)} points`,
          reason.feature ? words(reason.feature) : null, reason.code].filter(Boolean).join(" · ")))));
}

// From the reference of the very model that decided; what is not among the reasons is one step.
function way(answer, shared) {
  const held = shared.model[answer.model.role];
  const named = answer.reasons.filter((reason) => reason.points !== null);
  if (answer.score === null || !held || held.reference_score === null || held.model.digest !== answer.model.digest) return null;
  const steps = named.map((reason) => ({ name: reason.text, points: reason.points }));
  const rest = answer.score - held.reference_score - steps.reduce((sum, step) => sum + step.points, 0);
  steps.push({ name: "Everything else together", points: rest });
  return waterfall(held.reference_score, steps, answer.score, "From just-approved applicants to this score, in points");
}

function record(answer) {
  return facts([
    ["Decision", h("code", {}, answer.decision_id)],
    ["Application", answer.loan_id],
    ["Probability of default", percent(answer.pd)],
    ["Model", `${answer.model.name} version ${answer.model.version}, ${answer.model.role}`],
    ["Model digest", h("code", {}, answer.model.digest.slice(0, 16))],
    ["Policy version", h("code", {}, answer.policy_version)],
    ["History from", { request: "the request", store: "the feature store", degraded: "nowhere: it could not be read" }[answer.feature_source]],
    ["Decided", time(answer.scored_at)],
  ]);
}
