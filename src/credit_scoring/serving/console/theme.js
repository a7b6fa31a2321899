// Light, dark, or as the system is; only this choice is kept by the browser.

const KEY = "credit-scoring-theme";
const NEXT = { system: "light", light: "dark", dark: "system" };

export function offerThemes(button) {
  let theme = kept();
  const show = () => {
    const root = document.documentElement;
    if (theme === "system") delete root.dataset.theme;
    else root.dataset.theme = theme;
    button.textContent = `Theme: ${theme}`;
  };
  button.addEventListener("click", () => {
    theme = NEXT[theme];
    keep(theme);
    show();
  });
  show();
}

function kept() {
  try {
    const theme = localStorage.getItem(KEY);
    return theme in NEXT ? theme : "system";
  } catch {
    return "system"; // a browser may keep nothing
  }
}

function keep(theme) {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // The choice then lasts as long as the page.
  }
}
