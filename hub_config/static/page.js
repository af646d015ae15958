// What every page has: the theme, the account menu, times, buttons that show a password.

import "./times.js";

for (const choice of document.querySelectorAll('input[name="theme"]')) {
  choice.checked = choice.value === window.allotmentTheme.read();
  choice.addEventListener("change", () => window.allotmentTheme.choose(choice.value));
}

const menus = document.querySelectorAll("details.menu");
document.addEventListener("click", (event) => {
  for (const menu of menus) if (!menu.contains(event.target)) menu.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of menus) {
    if (!menu.open) continue;
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

for (const button of document.querySelectorAll("button[data-shows]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    const field = document.getElementById(button.dataset.shows);
    const shown = field.type === "text";
    field.type = shown ? "password" : "text";
    button.textContent = shown ? "Show" : "Hide";
    button.setAttribute("aria-pressed", String(!shown));
    field.focus();
  });
}

// A form is sent once: a second click would ask for a second server.
for (const form of document.querySelectorAll("form[data-once]")) {
  form.addEventListener("submit", (event) => {
    if (event.defaultPrevented) return;
    const button = form.querySelector('button[type="submit"]');
    button.disabled = true;
    if (button.dataset.busy) button.textContent = button.dataset.busy;
  });
}
// Coming back by the browser's button shows the page as it was left: let the form be sent again.
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
