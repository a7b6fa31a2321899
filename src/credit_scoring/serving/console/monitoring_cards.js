// The parts of the monitoring view; each says plainly what is not there.

import { columns, shares } from "./charts.js";
import { facts, h, notice, tag } from "./dom.js";
import { count, decided, duration, score, sentence, time, words } from "./format.js";
import { buckets, byLabel, quantile, sum } from "./prometheus.js";

// Usual readings of a PSI; the service's own verdict is in its report.
const SOME_SHIFT = 0.1;
const MUCH_SHIFT = 0.25;

const card = (title, ...parts) => h("div", { class: "card" }, h("h2", {}, title), parts);
const broadCard = (title, ...parts) => h("div", { class: "card broad" }, h("h2", {}, title), parts);

export function latencyCard(samples, routes) {
  const rows = routes.map((route) => [route, buckets(samples, "credit_scoring_request_duration_seconds", { route })])
    .filter(([, counts]) => counts.some(([, times]) => times > 0))
    .map(([route, counts]) => h("tr", {}, h("th", { scope: "row" }, h("code", {}, route)),
      [0.5, 0.95, 0.99].map((share) => h("td", { class: "number" }, duration(quantile(counts, share))))));
  if (rows.length === 0) return card("Latency", h("p", { class: "muted" }, "Nothing was decided yet."));
  return card("Latency", h("table", {}, h("caption", {}, "From a request's headers to its answer, since the start"),
    h("thead", {}, h("tr", {}, ["Route", "p50", "p95", "p99"].map((name, place) => h("th", { scope: "col", class: place ? "number" : null }, name)))),
    h("tbody", {}, rows)));
}

export function decisionsCard(live, samples) {
  const counts = live?.decisions?.by_decision ?? (samples && byLabel(samples, "credit_scoring_decisions_total", "decision"));
  if (!counts) return null;
  const parts = ["approve", "refer", "decline"].map((kind) => ({ kind, name: decided[kind], value: counts[kind] ?? 0 }));
  const without = live?.degradation?.without_history ?? (samples && sum(samples, "credit_scoring_decisions_total", { feature_source: "degraded" }));
  return card("Decisions", shares(parts, "Decisions by outcome"),
    facts([["Without a history", count(without)], ["Who decides", live?.routing?.overridden ? "the champion, by an override" : live?.routing?.mode]]));
}

export function scoresCard(samples, policy) {
  const counts = buckets(samples, "credit_scoring_score").filter(([bound]) => Number.isFinite(bound));
  const total = counts.reduce((all, [, times]) => all + times, 0);
  if (total === 0) return null;
  const used = counts.filter(([, times]) => times > 0).map(([bound]) => bound);
  const bins = counts.filter(([bound]) => bound >= used[0] && bound <= used.at(-1))
    .map(([bound, value]) => ({ name: `up to ${bound}`, value }));
  return card("Scores", columns(bins, `Histogram of ${count(total)} scores`),
    h("p", { class: "small muted" }, `Approved from ${policy.approve_from}, declined below ${policy.decline_below}. Median ${score(quantile(counts, 0.5))}.`));
}

export function driftCard(live) {
  if (!live) return null;
  const top = Object.entries(live.features ?? {}).filter(([, one]) => one.psi !== null)
    .sort(([, a], [, b]) => b.psi - a.psi).slice(0, 6);
  const reading = (psi) => (psi >= MUCH_SHIFT ? "minus" : psi >= SOME_SHIFT ? "amber" : "plus");
  const row = (name, one) => h("tr", {}, h("th", { scope: "row" }, name),
    h("td", { class: "drawn", "aria-hidden": "true" }, h("div", { class: "track" },
      h("div", { class: `bar ${reading(one.psi)}`, style: { left: "0", width: `${Math.min(100, (100 * one.psi) / (2 * MUCH_SHIFT))}%` } }))),
    h("td", { class: "number" }, one.psi.toFixed(3)));
  if (live.score?.psi === null || live.score?.psi === undefined) {
    return card("Drift, live", h("p", { class: "muted" }, sentence(live.reason ?? "there is no figure yet")),
      facts([["Applications seen", count(live.applications)], ["Needed", count(live.least)]]));
  }
  return card("Drift, live", h("table", { class: "waterfall" },
    h("caption", {}, `How far ${count(live.applications)} applications are from those of training, as a population stability index (PSI): above ${SOME_SHIFT} some shift, above ${MUCH_SHIFT} much`),
    h("tbody", {}, row("Score", live.score), top.map(([name, one]) => row(words(name), one)))));
}

export function reportCard(report) {
  if (!report) return null;
  if (report.verdict === null) return broadCard("Last drift report", h("p", { class: "muted" }, sentence(report.reason ?? "there is none")));
  // What is wrong comes first, and all of it is shown.
  const gravest = ["alert", "warn", "insufficient", "ok"];
  const sorted = [...(report.findings ?? [])].sort((a, b) => gravest.indexOf(a.verdict) - gravest.indexOf(b.verdict));
  const wrong = sorted.filter((one) => one.verdict !== "ok").length;
  const findings = sorted.slice(0, Math.max(8, wrong)).map((one) =>
    h("li", {}, tag(one.verdict), ` ${sentence(one.message)}`));
  return broadCard("Last drift report", h("p", {}, tag(report.verdict)),
    facts([["Computed", time(report.computed_at)], ["From", time(report.window_since)], ["Until", time(report.window_until)], ["Decisions", count(report.decisions)]]),
    findings.length ? h("ul", { class: "plain small" }, findings) : null,
    report.report ? h("p", {}, h("a", { href: report.report.replace(/^\//, "./"), target: "_blank", rel: "noopener" }, "The whole report")) : null);
}

export function modelsCard(live, samples, model) {
  const { champion, challenger } = model;
  const line = (held, role) => [words(role), held ? `version ${held.model.version}, ${held.family}` : "none"];
  const byRole = live?.decisions?.by_role ?? (samples && byLabel(samples, "credit_scoring_decisions_total", "role")) ?? {};
  return card("Champion against challenger",
    facts([line(champion, "champion"), line(challenger, "challenger"), ["Routing", model.routing],
      ["Decided by the champion", count(byRole.champion ?? 0)], ["Decided by the challenger", count(byRole.challenger ?? 0)]]),
    samples ? shadow(samples) : null);
}

// How often both say the same of the same application, where the challenger follows.
function shadow(samples) {
  const both = samples.filter((one) => one.name === "credit_scoring_shadow_decisions_total");
  const total = both.reduce((all, one) => all + one.value, 0);
  if (total === 0) return h("p", { class: "small muted" }, "The challenger has not followed any decision in the shadow.");
  const same = both.filter((one) => one.labels.champion === one.labels.challenger).reduce((all, one) => all + one.value, 0);
  const differ = both.filter((one) => one.labels.champion !== one.labels.challenger && one.value > 0)
    .map((one) => h("li", {}, `${decided[one.labels.champion]} by the champion, ${decided[one.labels.challenger]?.toLowerCase()} by the challenger: ${count(one.value)}`));
  return h("div", {}, notice(same === total ? "good" : "", `Of ${count(total)} decisions in the shadow ${count(same)} are the same (${((100 * same) / total).toFixed(1)}%).`),
    differ.length ? h("ul", { class: "small" }, differ) : null);
}
