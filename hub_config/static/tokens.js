// API tokens: made here, shown once, revoked here.

import { ask, complain, path, user } from "./hub.js";

const form = document.getElementById("new-token");
const result = document.getElementById("token-area");
const shown = document.getElementById("token-result");
const copy = document.getElementById("token-copy");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  complain("");
  const button = form.querySelector('button[type="submit"]');
  button.disabled = true;
  const scopes = form.elements.namedItem("may").value.split(" ").filter(Boolean);
  try {
    const answer = await ask("POST", path("api", "users", user, "tokens"), {
      note: form.elements.namedItem("note").value.trim() || "Made on the token page",
      expires_in: Number(form.elements.namedItem("ends").value) || null,
      scopes,
    });
    shown.value = answer.token;
    result.hidden = false;
    shown.focus();
    shown.select();
  } catch (error) {
    complain(error.message);
  } finally {
    button.disabled = false;
  }
});

copy.addEventListener("click", async () => {
  shown.select();
  try {
    await navigator.clipboard.writeText(shown.value);
    copy.textContent = "Copied";
  } catch {
    copy.textContent = "Selected: copy it"; // the clipboard may be forbidden
  }
});

for (const row of document.querySelectorAll("[data-token-id]")) {
  const button = row.querySelector("button");
  button.addEventListener("click", async () => {
    complain("");
    button.disabled = true;
    try {
      await ask("DELETE", path("api", "users", user, "tokens", row.dataset.tokenId));
      row.remove();
    } catch (error) {
      complain(error.message);
      button.disabled = false;
    }
  });
}
