// Loaded before anything is drawn, so that a chosen theme never flashes the other one.
(() => {
  const key = "allotment-theme";
  const apply = (choice) => {
    if (choice === "light" || choice === "dark") document.documentElement.dataset.theme = choice;
    else delete document.documentElement.dataset.theme;
  };
  const read = () => {
    try {
      return localStorage.getItem(key) || "system";
    } catch {
      return "system"; // storage may be forbidden; the system's theme is then the only one
    }
  };
  window.allotmentTheme = {
    read,
    choose(choice) {
      try {
        localStorage.setItem(key, choice);
      } catch {
        // nothing to remember it in: it holds for this page
      }
      apply(choice);
    },
  };
  apply(read());
  addEventListener("storage", (event) => {
    if (event.key === key) apply(event.newValue);
  });
})();
