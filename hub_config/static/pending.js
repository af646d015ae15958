// A server that is starting or stopping: its progress as it comes, then the server itself.

import { ask, base, complain, serverPath } from "./hub.js";

const page = document.getElementById("pending").dataset;
const message = document.getElementById("progress-message");
const track = document.getElementById("progress-used");
const bar = document.getElementById("progress");
const log = document.getElementById("progress-log");
const stop = document.getElementById("stop");

function show(event) {
  // Messages are shown as text, whoever wrote them; a refusal's reasons come with the reloaded page.
  const text = event.failed ? "" : event.message || "";
  if (event.progress !== undefined) {
    bar.setAttribute("aria-valuenow", String(event.progress));
    track.setAttribute("width", String(event.progress));
  }
  if (!text) return;
  message.textContent = text;
  const line = document.createElement("li");
  line.textContent = text;
  log.append(line);
}

if (page.progress) {
  const source = new EventSource(page.progress);
  source.onmessage = (received) => {
    const event = JSON.parse(received.data);
    show(event);
    if (event.ready || event.failed) {
      source.close();
      location.reload();
    }
  };
} else {
  setTimeout(() => location.reload(), 2000);
}

stop?.addEventListener("click", async () => {
  complain("");
  stop.disabled = true;
  stop.textContent = "Stopping…";
  try {
    await ask("DELETE", serverPath(page.server));
    location.assign(`${base}home`);
  } catch (error) {
    complain(error.message);
    stop.disabled = false;
    stop.textContent = "Stop";
  }
});
