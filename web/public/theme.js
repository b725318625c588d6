// Runs before the first paint, so that the theme never flashes. A file, because the page allows no inline script.
(function () {
  var choice = null;
  try {
    choice = localStorage.getItem("heimdex.theme");
  } catch {
    // Storage may be forbidden; the system's theme is used then.
  }
  var dark = choice === "dark" || (choice !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
})();
