// A server that is not running: start it again as it was, or wait for it where it was refused.

import { base, complain, startAgain } from "./hub.js";
import { live } from "./live.js";
import { showTimes } from "./times.js";

const button = document.getElementById("start");
button?.addEventListener("click", async () => {
  complain("");
  button.disabled = true;
  const next = new URLSearchParams(location.search).get("next") || button.dataset.next;
  try {
    await startAgain(button.dataset.server, next ? `?${new URLSearchParams({ next })}` : "");
  } catch (error) {
    complain(error.message);
    button.disabled = false;
  }
});

const wait = document.getElementById("wait");
if (wait) {
  const sent = new FormData(wait);
  const asked = new URLSearchParams({
    server: wait.dataset.server,
    profile: sent.get("profile") || "",
    group: sent.get("group") || "",
  });
  // What would help is not known at once: it is looked up meanwhile.
  live(() => `${base}allotment/parts/refused?${asked}`, showTimes);
}
