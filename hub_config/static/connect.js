// Connecting from outside: a token that opens one server, and what other programs need to be told.

import { ask, path, user } from "./hub.js";

const dialog = document.getElementById("connect-dialog");
const problem = dialog?.querySelector("[data-problem]");
const form = dialog?.querySelector("form[data-mint]");
const made = dialog?.querySelector("[data-made]");
const kubectl = dialog?.querySelector("[data-kubectl]");
const kubeconfig = dialog?.querySelector("[data-kubeconfig]");
let row = null;

/** Say how to reach the server of a row; the focus comes back to `button`. */
export function connect(of, button) {
  row = of;
  forget();
  dialog.querySelector("[data-name]").textContent = row.dataset.title;
  dialog.querySelector("[data-terminal]").href = `${address()}allotment/terminal`;
  dialog.showModal();
  dialog.onclose = () => {
    forget();
    button.focus();
  };
}

/** The server's address as other computers know it; it ends with a slash. */
function address() {
  return new URL(row.dataset.url, location.href).href;
}

/** The token stays in the page no longer than it is looked at. */
function forget() {
  complain("");
  made.hidden = true;
  form.hidden = false;
  for (const field of made.querySelectorAll("input")) field.value = "";
  for (const text of made.querySelectorAll("pre")) text.textContent = "";
  for (const button of made.querySelectorAll("[data-copies]")) relabel(button, "Copy");
  if (kubectl) kubectl.hidden = true;
}

function complain(message) {
  problem.textContent = message;
  problem.hidden = message === "";
}

function relabel(button, words) {
  button.firstChild.nodeValue = words;
}

function show(token) {
  const words = { address: address(), origin: address().replace(/\/$/, ""), token };
  document.getElementById("connect-address").value = words.address;
  document.getElementById("connect-token").value = token;
  for (const text of made.querySelectorAll("pre")) {
    text.textContent = text.dataset.text.replace(/\{(\w+)\}/g, (_, word) => words[word]);
  }
  form.hidden = true;
  made.hidden = false;
  document.getElementById("connect-token").select();
}

form?.addEventListener("submit", async (event) => {
  event.preventDefault();
  complain("");
  const button = form.querySelector('button[type="submit"]');
  const { server, title } = row.dataset;
  button.disabled = true;
  try {
    const answer = await ask("POST", path("api", "users", user, "tokens"), {
      note: `Connect to ${title}`,
      expires_in: Number(form.elements.namedItem("ends").value),
      scopes: [`access:servers!server=${user}/${server}`],
    });
    // Closed meanwhile, or opened for another server: the token is in the list of tokens.
    if (dialog.open && row.dataset.server === server) show(answer.token);
  } catch (error) {
    complain(error.message);
  } finally {
    button.disabled = false;
  }
});

made?.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copies]");
  if (!button) return;
  const from = document.getElementById(button.dataset.copies);
  try {
    await navigator.clipboard.writeText(from.value ?? from.textContent);
    relabel(button, "Copied");
  } catch {
    // The clipboard may be forbidden: what is to be copied is selected instead.
    if (from.select) from.select();
    else getSelection().selectAllChildren(from);
    relabel(button, "Selected");
  }
});

/** Give the browser a file to keep. */
function download(name, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "application/yaml" }));
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

kubeconfig?.addEventListener("click", async () => {
  const wrong = dialog.querySelector("[data-kubectl-problem]");
  wrong.hidden = true;
  kubeconfig.disabled = true;
  try {
    const answer = await ask("POST", path("allotment", "kubeconfig"));
    // JSON is YAML.
    download("allotment.kubeconfig", JSON.stringify(answer.kubeconfig, null, 2));
    kubectl.textContent = answer.pods
      .map((pod) => `kubectl --kubeconfig allotment.kubeconfig exec -it ${pod} -- bash`)
      .join("\n");
    kubectl.hidden = false;
  } catch (error) {
    wrong.textContent = error.message;
    wrong.hidden = false;
  } finally {
    kubeconfig.disabled = false;
  }
});
