// The letter about a decline: a draft from the recorded reasons, to print.

import { h } from "./dom.js";
import { nameOf } from "./format.js";

export function openLetter(answer, contract) {
  const close = () => dialog.close();
  const dialog = h("dialog", { class: "letter", "aria-labelledby": "letter-title" },
    h("div", { class: "row spread not-printed" },
      h("p", { class: "muted small" }, "A draft for the lender to complete: your name and address, whom to ask, and what your law requires."),
      h("div", { class: "row" },
        h("button", { type: "button", onclick: () => window.print() }, "Print"),
        h("button", { type: "button", class: "quiet", onclick: close }, "Close"))),
    paper(answer, contract));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

// Which attributes have no part in a decision, as the contract says it.
function unused(contract) {
  const names = contract.columns.filter((column) => column.role === "protected").map((column) => nameOf(column).toLowerCase());
  if (names.length === 0) return "";
  const list = new Intl.ListFormat("en").format(names);
  return `${list.charAt(0).toUpperCase()}${list.slice(1)} had no part in it.`;
}

function paper(answer, contract) {
  const day = new Date(answer.scored_at).toLocaleDateString("en-GB", { dateStyle: "long" });
  const reasons = answer.reasons.map((reason) => h("li", {}, reason.text));
  return h("article", { class: "paper" },
    h("p", { class: "draft" }, "Draft"),
    h("p", {}, day),
    h("h2", { id: "letter-title" }, `Your application ${answer.loan_id}`),
    h("p", {}, "Thank you for your application. We have looked at it and cannot approve it."),
    h("p", {}, reasons.length === 1 ? "The principal reason for our decision:" : "The principal reasons for our decision, the most important first:"),
    h("ol", {}, reasons),
    h("p", {}, "The decision rests on the information in your application and your account history. ",
      `It used a credit score and our credit policy. ${unused(contract)}`),
    h("p", {}, "If you believe that something we hold about you is wrong, or that circumstances have changed, please tell us. A person will look at it."),
    h("p", { class: "muted small" }, `Reference of the decision: ${answer.decision_id}`));
}
