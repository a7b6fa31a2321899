// How the service fares: its own figures, asked again every few seconds while looked at.

import { get, getText } from "./api.js";
import { figures, h, notice } from "./dom.js";
import { count, duration, time } from "./format.js";
import { sparkline } from "./charts.js";
import { decisionsCard, driftCard, latencyCard, modelsCard, reportCard, scoresCard } from "./monitoring_cards.js";
import { parseMetrics, quantile, buckets, sum } from "./prometheus.js";

const EVERY_MS = 5000;
const KEPT = 60;
const DECIDING = ["/predict", "/predict/batch"];

export function mountMonitoring(view, shared) {
  const state = { rates: [], last: null, timer: 0, live: null };
  const trouble = h("div", { role: "status" });
  const cards = h("div", { class: "grid" });
  const asOf = h("p", { class: "small muted as-of" });
  view.append(trouble, cards, asOf);

  async function look() {
    clearTimeout(state.timer);
    const seen = view.offsetParent !== null && document.visibilityState === "visible";
    if (seen) await draw();
    state.timer = setTimeout(look, EVERY_MS);
  }

  async function draw() {
    // Each part stands or is missing by itself.
    state.live ??= await hasLive();
    const [said, text] = await Promise.allSettled([state.live ? get("monitoring") : null, getText("metrics")]);
    const live = said.status === "fulfilled" ? said.value : null;
    const samples = text.status === "fulfilled" ? parseMetrics(text.value) : null;
    trouble.replaceChildren(...missing(said, text));
    if (samples) note(state, samples);
    // What a run has found wrong is seen first.
    cards.replaceChildren(...[
      live && reportCard(live.monitoring),
      samples && trafficCard(state, samples),
      samples && latencyCard(samples, DECIDING),
      decisionsCard(live, samples),
      samples && scoresCard(samples, shared.model.policy),
      live && driftCard(live.live),
      modelsCard(live, samples, shared.model),
    ].filter(Boolean));
    asOf.textContent = `As of ${time(live?.as_of ?? new Date().toISOString())}`;
  }

  return { shown: look };
}

// The service's own document says whether it has live monitoring.
async function hasLive() {
  try {
    return "/monitoring" in (await get("docs.json")).paths;
  } catch {
    return null; // asked again at the next look
  }
}

function missing(said, text) {
  const parts = [];
  if (said.status === "rejected") parts.push(notice("warn", `Live monitoring cannot be read: ${said.reason.message}.`));
  else if (said.value === null) parts.push(notice("warn", "This service has no live monitoring: drift and the last report are not shown."));
  if (text.status === "rejected") parts.push(notice("warn", `Metrics cannot be read: ${text.reason.message}.`));
  return parts;
}

const decidedSoFar = (samples) =>
  DECIDING.reduce((total, route) => total + sum(samples, "credit_scoring_requests_total", { route }), 0);

function note(state, samples) {
  const now = { at: performance.now(), requests: decidedSoFar(samples) };
  if (state.last) {
    const seconds = (now.at - state.last.at) / 1000;
    if (seconds > 0) state.rates.push(Math.max(now.requests - state.last.requests, 0) / seconds);
    state.rates = state.rates.slice(-KEPT);
  }
  state.last = now;
}

function trafficCard(state, samples) {
  const failed = samples.filter((one) => one.name === "credit_scoring_requests_total" && one.labels.status.startsWith("5"))
    .reduce((total, one) => total + one.value, 0);
  const rate = state.rates.at(-1);
  const all = DECIDING.map((route) => buckets(samples, "credit_scoring_request_duration_seconds", { route })[0] ? route : null).filter(Boolean);
  const p50 = all.length ? quantile(buckets(samples, "credit_scoring_request_duration_seconds", { route: all[0] }), 0.5) : null;
  return h("div", { class: "card" }, h("h2", {}, "Traffic"),
    figures([["Requests to decide", count(decidedSoFar(samples))], ["Per second, now", rate === undefined ? "counting" : rate.toFixed(1)],
      ["Median time", duration(p50)], ["Answered 5xx", count(failed)]]),
    state.rates.length > 1 ? sparkline(state.rates, "Requests a second over the last minutes") : null);
}
