// The home page: open, stop, start again and delete, each where it is shown.

import { ask, base, complain, path, pendingPage, serverPath } from "./hub.js";
import { live } from "./live.js";
import { showTimes } from "./times.js";

const list = document.getElementById("servers");
const dialog = document.getElementById("delete-dialog");
const refresh = live(() => `${base}allotment/parts/home`, showTimes);

const actions = {
  async stop(name) {
    await ask("DELETE", serverPath(name));
  },
  async extend(name) {
    await ask("POST", path("allotment", "extend"), { server: name });
  },
  async start(name) {
    await ask("POST", serverPath(name));
    location.assign(pendingPage(name));
  },
  async leave(name, pressed) {
    await ask("POST", path("allotment", "leave-queue", pressed.dataset.ticket));
  },
  async remove(name) {
    if (name === "") await ask("POST", path("allotment", "forget"), { server: name });
    else await ask("DELETE", serverPath(name), { remove: true });
  },
};

async function act(action, name, buttons, pressed) {
  complain("");
  for (const button of buttons) button.disabled = true;
  try {
    await actions[action](name, pressed);
    await refresh();
  } catch (error) {
    complain(error.message);
  } finally {
    for (const button of buttons) button.disabled = false;
  }
}

function confirmDelete(row, button) {
  dialog.querySelector("[data-name]").textContent = row.dataset.title;
  dialog.returnValue = "";
  dialog.showModal();
  dialog.onclose = () => {
    if (dialog.returnValue === "delete") act("remove", row.dataset.server, [button]);
    else button.focus();
  };
}

list?.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-action]");
  if (!button) return;
  const row = button.closest("[data-server]");
  if (button.dataset.action === "remove") confirmDelete(row, button);
  else act(button.dataset.action, row.dataset.server, row.querySelectorAll("button"), button);
});
