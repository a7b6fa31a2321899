// Which view is shown, and what all of them share.

import { get } from "./api.js";
import { mountBatch } from "./batch.js";
import { notice } from "./dom.js";
import { mountModel } from "./model.js";
import { mountMonitoring } from "./monitoring.js";
import { mountScore } from "./score.js";
import { offerThemes } from "./theme.js";
import { mountWhatIf } from "./what_if.js";

const VIEWS = {
  score: mountScore,
  "what-if": mountWhatIf,
  batch: mountBatch,
  monitoring: mountMonitoring,
  model: mountModel,
};
const mounted = {};
let shared = null;

async function start() {
  offerThemes(document.getElementById("theme"));
  try {
    const [contract, model] = await Promise.all([get("contract"), get("model")]);
    // The application on the desk: in this page's memory alone.
    shared = { contract, model, application: null };
  } catch (error) {
    document.getElementById("trouble").append(notice("bad", `The console cannot start: ${error.message}.`));
    return;
  }
  document.getElementById("data-title").textContent = shared.contract.title;
  const { name, version, digest } = shared.model.champion.model;
  document.getElementById("model-line").textContent =
    `${name} version ${version} · ${shared.model.champion.family} · ${digest.slice(0, 12)}`;
  window.addEventListener("hashchange", () => show(true));
  show(false);
}

function show(moved) {
  const asked = location.hash.slice(1);
  if (asked === "main") return; // the skip link
  const name = asked in VIEWS ? asked : "score";
  for (const other of Object.keys(VIEWS)) {
    document.getElementById(`view-${other}`).hidden = other !== name;
  }
  for (const link of document.querySelectorAll(".tabs a")) {
    if (link.hash === `#${name}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  const section = document.getElementById(`view-${name}`);
  mounted[name] ??= VIEWS[name](section.querySelector(".view"), shared) ?? {};
  mounted[name].shown?.();
  const title = section.querySelector("h1");
  document.title = `${title.textContent} · Credit scoring`;
  if (moved) title.focus();
}

start();
