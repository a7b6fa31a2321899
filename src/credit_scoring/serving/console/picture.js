// A score on its scale, and the way to it in points. Tables say the same in words.

import { h, place } from "./dom.js";
import { decided, points, score as shown } from "./format.js";

const outcomeOf = (from, policy) => {
  if (from !== null && from >= policy.approve_from) return "approve";
  return from !== null && from >= policy.decline_below ? "refer" : "decline";
};

// The bands side by side, as wide as they are in points; the outer ones end somewhere.
function segmentsOf(policy) {
  const bands = [...policy.bands].reverse();
  const edges = bands.slice(1).map((band) => band.from);
  const low = edges[0] - 1.5 * policy.pdo;
  const high = edges.at(-1) + 1.5 * policy.pdo;
  const ends = [low, ...edges, high];
  return bands.map((band, place) => ({
    ...band, low: ends[place], high: ends[place + 1], outcome: outcomeOf(band.from, policy),
  }));
}

export function scale(policy, score, { before = null } = {}) {
  const segments = policy.bands.length > 1 ? segmentsOf(policy) : [];
  if (score === null || segments.length === 0) return h("p", { class: "muted" }, "There is no score.");
  const [low, high] = [segments[0].low, segments.at(-1).high];
  const share = (value) => `${(100 * (Math.min(Math.max(value, low), high) - low)) / (high - low)}%`;
  const parts = segments.map((one) =>
    h("div", { class: `segment ${one.outcome}`, style: { "flex-grow": one.high - one.low } }, one.code));
  const cuts = [...new Set([policy.decline_below, policy.approve_from])].map((cut) =>
    h("span", { class: "cut", style: { left: share(cut) } }, String(cut)));
  const marker = (value, kind) => h("span", { class: `marker ${kind}`, style: { left: share(value) } });
  const said = `Score ${shown(score)}. Approved from ${policy.approve_from}, declined below ${policy.decline_below}.`;
  return h("div", { class: "scale", role: "img", "aria-label": said },
    h("div", { class: "markers" }, before === null ? null : marker(before, "before"), marker(score, "now")),
    h("div", { class: "segments" }, parts),
    h("div", { class: "cuts" }, cuts));
}

// Steps: {name, points}; from the reference through all of them to the score.
export function waterfall(reference, steps, score, caption) {
  let at = reference;
  const bars = steps.map((step) => {
    const from = at;
    at += step.points;
    return { ...step, from, to: at };
  });
  const all = [reference, score, ...bars.map((bar) => bar.to)];
  const low = Math.min(...all) - 6;
  const span = Math.max(...all) + 6 - low;
  const share = (value) => (100 * (value - low)) / span;
  // The axis does not begin at 0: a total is a mark on it, as a bar's length would mislead.
  const mark = (value) => {
    const bar = h("div", { class: "bar total" });
    place(bar, { left: `${share(value)}%` });
    return h("td", { class: "drawn", "aria-hidden": "true" }, h("div", { class: "track" }, bar));
  };
  const track = (from, to, kind) => {
    const bar = h("div", { class: `bar ${kind}` });
    place(bar, { left: `${Math.min(share(from), share(to))}%`, width: `${Math.abs(share(to) - share(from))}%` });
    return h("td", { class: "drawn", "aria-hidden": "true" }, h("div", { class: "track" }, bar));
  };
  const row = (name, drawn, text, kind) =>
    h("tr", { class: kind }, h("th", { scope: "row" }, name), drawn, h("td", { class: "number" }, text));
  return h("table", { class: "waterfall" },
    h("caption", {}, caption),
    h("thead", { class: "unseen" }, h("tr", {}, ["Factor", "Drawn", "Points"].map((name) => h("th", { scope: "col" }, name)))),
    h("tbody", {},
      row("Just-approved applicants", mark(reference), shown(reference), "end"),
      bars.map((bar) => row(bar.name, track(bar.from, bar.to, bar.points < 0 ? "minus" : "plus"), points(bar.points), "")),
      row("This score", mark(score), shown(score), "end")));
}

export function verdict(answer) {
  return h("div", { class: `verdict ${answer.decision}` },
    h("p", { class: "verdict-word" }, decided[answer.decision] ?? answer.decision),
    h("p", { class: "verdict-score" }, answer.score === null ? "no score" : shown(answer.score),
      h("span", {}, answer.band === null ? "" : ` points, band ${answer.band}`)));
}
