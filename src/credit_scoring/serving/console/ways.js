// What it would take to be approved: searched by the service, shown as it answers.

import { post } from "./api.js";
import { h, notice, tag } from "./dom.js";
import { decided, number, score, words } from "./format.js";

export function ways(shared, application, take) {
  const found = h("div", { class: "stack", "aria-live": "polite" });
  const button = h("button", { type: "button", onclick: async () => {
    button.disabled = true;
    try {
      found.replaceChildren(...shownAs(await post("what-if/approval", application()), shared, take));
    } catch (error) {
      found.replaceChildren(notice("bad", `${error.message}.`));
    } finally {
      button.disabled = false;
    }
  } }, "Search");
  return [
    h("h2", {}, "What it would take to be approved"),
    h("p", { class: "muted small" }, "The least changes, within what applicants can change. The service tries each one on the model and policy that decide."),
    button,
    found,
  ];
}

function shownAs(answer, shared, take) {
  const units = Object.fromEntries(shared.contract.columns.map((column) => [column.name, column.unit]));
  const card = (way) => wayCard(way, units, take);
  const parts = [];
  if (answer.decision === "approve") parts.push(notice("good", "It is approved as it is."));
  else if (answer.single.length) parts.push(h("p", {}, "Each of these alone leads to an approval:"), answer.single.map(card));
  else if (answer.combination) parts.push(h("p", {}, "No single change suffices. Together these lead to an approval:"), card(answer.combination));
  else parts.push(notice("warn", "Nothing that the applicant can change leads to an approval now."), answer.best ? [h("p", {}, "What helps most:"), card(answer.best)] : []);
  if (answer.decision !== "approve" && answer.cannot_be_changed) parts.push(h("p", { class: "muted small" }, answer.cannot_be_changed));
  return parts.flat(2);
}

function wayCard(way, units, take) {
  const items = way.changes.map((change) => {
    const unit = units[change.column] ? ` ${units[change.column]}` : "";
    return h("li", {}, h("strong", {}, change.advice), h("br"),
      `${words(change.column)}: ${number(change.before)} → ${number(change.after)}${unit}`);
  });
  const values = Object.fromEntries(way.changes.map((change) => [change.column, change.after]));
  return h("div", { class: "way" },
    h("ul", {}, items),
    h("div", { class: "row spread" },
      h("span", {}, tag(way.decision, decided[way.decision]), ` ${score(way.score)} points`),
      h("button", { type: "button", class: "quiet small-button", onclick: () => take(values) }, "Try it")));
}
