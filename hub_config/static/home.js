// The home page: open, stop, start again and delete, each where it is shown.

import { connect } from "./connect.js";
import { ask, base, complain, path, serverPath, startAgain, stopped } from "./hub.js";
import { live } from "./live.js";
import { at, duration, showTimes } from "./times.js";

const list = document.getElementById("servers");
const dialog = document.getElementById("delete-dialog");
const resetDialog = document.getElementById("reset-dialog");
const keepDialog = document.getElementById("keep-dialog");
const refresh = live(() => `${base}allotment/parts/home`, () => {
  hideTold();
  showTimes();
});

/** What was told (waits that are over, sources that changed) and was set aside in this browser; JupyterLab's banner uses the same list. */
const told = {
  key: "allotment-told",
  read() {
    try {
      return JSON.parse(localStorage.getItem(this.key)) || [];
    } catch {
      return []; // no storage: it is shown until its day is over
    }
  },
  add(id) {
    try {
      localStorage.setItem(this.key, JSON.stringify([...this.read(), id].slice(-50)));
    } catch {
      // as above
    }
  },
};

function hideTold() {
  const aside = told.read();
  for (const note of document.querySelectorAll("[data-told]")) note.hidden = aside.includes(note.dataset.told);
}

const actions = {
  async stop(name) {
    await ask("DELETE", serverPath(name));
  },
  async extend(name) {
    await ask("POST", path("allotment", "extend"), { server: name });
  },
  async keep(name) {
    const { hours, note } = keepDialog.querySelector("form").elements;
    await ask("POST", path("allotment", "keep"), { server: name, seconds: Number(hours.value), note: note.value });
  },
  async start(name) {
    await startAgain(name);
  },
  async reset(name) {
    await ask("DELETE", serverPath(name));
    await stopped(name);
    await startAgain(name);
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

function confirmReset(row, button) {
  resetDialog.querySelector("[data-name]").textContent = row.dataset.title;
  resetDialog.querySelector("[data-work]").textContent = button.dataset.work;
  resetDialog.returnValue = "";
  resetDialog.showModal();
  resetDialog.onclose = () => {
    if (resetDialog.returnValue === "reset") act("reset", row.dataset.server, row.querySelectorAll("button"), button);
    else button.focus();
  };
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

/** So long may a server be left alone: round times up to what its size lets its user ask for. */
function spans(most) {
  const hour = 3600;
  const round = [1, 2, 4, 8, 12, 24, 48, 72, 168].map((each) => each * hour);
  return [...round.filter((each) => each < most), most];
}

function askKeep(row, button) {
  keepDialog.querySelector("[data-name]").textContent = row.dataset.title;
  const { hours, note } = keepDialog.querySelector("form").elements;
  hours.replaceChildren(
    ...spans(Number(button.dataset.most)).map((each) => {
      const until = new Date(Date.now() + each * 1000);
      return new Option(`${duration(each).replace(/ 0 (min|h)$/, "")}, until ${at(until)}`, String(each));
    }),
  );
  hours.selectedIndex = hours.length - 1;
  note.value = "";
  keepDialog.returnValue = "";
  keepDialog.showModal();
  keepDialog.onclose = () => {
    if (keepDialog.returnValue === "keep") act("keep", row.dataset.server, [button]);
    else button.focus();
  };
}

hideTold();
for (const button of document.querySelectorAll("button[data-early]")) {
  delete button.dataset.early;
  button.disabled = false;
}
list?.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-action]");
  if (!button) return;
  if (button.dataset.action === "dismiss") {
    told.add(button.closest("[data-told]").dataset.told);
    hideTold();
    return;
  }
  const row = button.closest("[data-server]");
  if (button.dataset.action === "remove") confirmDelete(row, button);
  else if (button.dataset.action === "reset") confirmReset(row, button);
  else if (button.dataset.action === "keep") askKeep(row, button);
  else if (button.dataset.action === "connect") connect(row, button);
  else act(button.dataset.action, row.dataset.server, row.querySelectorAll("button"), button);
});
