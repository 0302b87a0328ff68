// Applies the reader's theme before the first paint, so it is a classic script in the head.
"use strict";

(() => {
  const KEY = "holdfast-docs-theme";
  const root = document.documentElement;

  // Storage throws where the browser forbids it; the theme then lasts as long as the page.
  const stored = () => {
    try {
      return localStorage.getItem(KEY) ?? "";
    } catch {
      return "";
    }
  };
  const store = (theme) => {
    try {
      localStorage.setItem(KEY, theme);
    } catch {
      // Nothing to do: see above.
    }
  };
  const apply = (theme) => {
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
    else delete root.dataset.theme;
  };

  apply(stored());
  document.addEventListener("DOMContentLoaded", () => {
    const select = document.getElementById("theme");
    if (!select) return;
    select.value = root.dataset.theme ?? "";
    select.addEventListener("change", () => {
      apply(select.value);
      store(select.value);
    });
  });
})();
