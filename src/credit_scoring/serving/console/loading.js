// Says so when a part of the console did not arrive: nothing else would run, and the
// page would stay empty. No module, so that it needs none of the parts itself.

addEventListener("error", ({ target }) => {
  if (!(target instanceof HTMLScriptElement)) return;
  const box = document.createElement("div");
  box.className = "notice bad";
  box.append("The console did not arrive whole. Reload the page.");
  const say = () => document.getElementById("trouble").replaceChildren(box);
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", say);
  else say();
}, { capture: true });
