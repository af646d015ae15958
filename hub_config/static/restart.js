// A server that is not running: start it again as it was.

import { ask, complain, pendingPage, serverPath } from "./hub.js";

const button = document.getElementById("start");
button?.addEventListener("click", async () => {
  complain("");
  button.disabled = true;
  const next = new URLSearchParams(location.search).get("next") || button.dataset.next;
  try {
    await ask("POST", serverPath(button.dataset.server));
    const query = next ? `?${new URLSearchParams({ next })}` : "";
    location.assign(pendingPage(button.dataset.server) + query);
  } catch (error) {
    complain(error.message);
    button.disabled = false;
  }
});
