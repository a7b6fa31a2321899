// Factors to move, and what the champion would decide then; nothing is recorded.

import { post } from "./api.js";
import { h, notice, tag } from "./dom.js";
import { levers } from "./levers.js";
import { percent, points, score as shown } from "./format.js";
import { scale, verdict, waterfall } from "./picture.js";
import { ways } from "./ways.js";

const PAUSE_MS = 150;

export function mountWhatIf(view, shared) {
  const state = { application: null, start: null, before: null, asking: null, timer: 0 };
  const moving = h("div", { class: "card" });
  const result = h("div", { class: "stack" });
  const said = h("p", { class: "unseen", role: "status" });
  const search = h("div", { class: "card" });
  view.append(h("div", { class: "columns" }, h("div", { class: "stack" }, moving, search), h("div", { class: "sticky" }, said, result)));

  async function ask() {
    state.asking?.abort();
    state.asking = new AbortController();
    try {
      const answer = await post("what-if", state.application, { signal: state.asking.signal });
      state.before ??= answer;
      board.complain([]);
      result.replaceChildren(...outcome(answer, state.before, shared));
      said.textContent = `${answer.decision}, score ${shown(answer.score)}`;
    } catch (error) {
      if (error.name === "AbortError") return;
      board.complain(error.errors ?? []);
      result.replaceChildren(notice("bad", `${error.message}.`));
    }
  }

  function change(values) {
    state.application = { ...state.application, ...values };
    clearTimeout(state.timer);
    state.timer = setTimeout(ask, PAUSE_MS);
  }

  let board = { complain: () => {} };

  function begin(application) {
    state.start = application;
    state.application = { ...application };
    state.before = null;
    board = levers(shared.contract, application, change);
    moving.replaceChildren(
      h("div", { class: "row spread heading" }, h("h2", {}, `Application ${application.loan_id ?? ""}`),
        h("div", { class: "row" }, choices(shared, begin),
          h("button", { type: "button", class: "quiet small-button", onclick: () => begin(state.start) }, "Back to the start"))),
      board.element);
    search.replaceChildren(...ways(shared, () => state.application, (values) => {
      board.write(values);
      change(values);
    }));
    ask();
  }

  return {
    shown: () => {
      const wanted = shared.application ?? shared.contract.examples[0];
      if (state.start === null || (shared.application && state.start !== shared.application)) begin(wanted);
    },
  };
}

function choices(shared, begin) {
  return shared.contract.examples.map((example, place) =>
    h("button", { type: "button", class: "quiet small-button", onclick: () => {
      shared.application = example;
      begin(example);
    } }, `Example ${place + 1}`));
}

function outcome(answer, before, shared) {
  const moved = answer.score !== null && before.score !== null ? answer.score - before.score : null;
  const change = moved === null || Math.abs(moved) < 0.05 ? "as at the start" : `${points(moved)} points from the start`;
  return [
    h("div", { class: "card" },
      h("div", { class: "row spread" }, tag("tried", "tried, not recorded"), h("span", { class: "muted small" }, change)),
      verdict(answer),
      scale(shared.model.policy, answer.score, { before: before.score }),
      h("p", { class: "muted small" }, `Probability of default ${percent(answer.pd)}`),
      rules(answer)),
    answer.factors.length ? h("div", { class: "card" }, factors(answer)) : null,
  ].filter(Boolean);
}

function rules(answer) {
  const spoken = answer.reasons.filter((reason) => reason.points === null);
  return spoken.length ? h("ul", { class: "small" }, spoken.map((reason) => h("li", {}, reason.text))) : null;
}

function factors(answer) {
  const steps = answer.factors
    .filter((factor) => Math.abs(factor.points) >= 0.05)
    .map((factor) => ({ name: factor.code.replaceAll("_", " ").toLowerCase().replace(/^./, (first) => first.toUpperCase()), points: factor.points }));
  return waterfall(answer.reference_score, steps, answer.score, "Every factor, in points, from just-approved applicants to this score");
}
