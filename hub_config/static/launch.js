// The launch page: what a choice would take, a filter, and counts that follow what is free.

import { live } from "./live.js";
import { base } from "./hub.js";
import { showTimes } from "./times.js";

const form = document.getElementById("launch");
const cards = document.getElementById("cards");
const limits = document.getElementById("limits");
const software = document.getElementById("software");
const button = document.getElementById("launch-button");
const wait = document.getElementById("wait");
const help = document.getElementById("help");
const hint = document.getElementById("launch-hint");
const filter = document.getElementById("filter");
const onlyReady = document.getElementById("only-ready");
const found = document.getElementById("found");
const name = form?.elements.namedItem("name");
const nameHint = document.getElementById("name-hint");
const group = form?.elements.namedItem("group");

function chosen() {
  return cards.querySelector('input[name="profile"]:checked')?.closest(".card") || null;
}

/** What a launch of this card adds to a meter, in the meter's unit. */
function added(meter, card) {
  if (!card) return 0;
  const devices = Number(card.dataset.devices);
  const kind = meter.dataset.meter;
  if (kind === "devices") return devices;
  if (kind === "servers") return 1;
  if (kind === "servers_existing") return form.dataset.exists === "yes" ? 0 : 1;
  return meter.dataset.pool === card.dataset.pool ? devices : 0;
}

function showMeter(meter, card) {
  const used = Number(meter.dataset.used);
  const limit = meter.dataset.limit === "" ? null : Number(meter.dataset.limit);
  const after = used + added(meter, card);
  const text = after === used ? String(used) : `${used} → ${after}`;
  meter.querySelector("b").textContent = limit === null ? `${text}, no limit` : `${text} of ${limit}`;
  meter.classList.toggle("over", limit !== null && after > limit);
  meter.classList.toggle("at-limit", limit !== null && after > limit);
  const more = meter.querySelector(".more");
  if (!more || limit === null || limit === 0) return;
  const from = Math.min(100, (100 * used) / limit);
  more.setAttribute("x", String(from));
  more.setAttribute("width", String(Math.min(100 - from, (100 * (after - used)) / limit)));
}

let wished = ""; // the software that the person chose last, kept from size to size

/** What the page came with: software that the chosen size would not propose was asked for, or used last. */
function wishedAtFirst() {
  const label = software.querySelector("input:checked")?.closest(".soft");
  const size = chosen()?.querySelector("input").value;
  return !label || label.dataset.proposed.split(" ").includes(size) ? "" : label.querySelector("input").value;
}

/** Offer the software that goes with the size; where it leaves no choice, send none. */
function showSoftware(profile) {
  const has = (label, list) => label.dataset[list].split(" ").includes(profile);
  const fitting = [];
  for (const label of software.querySelectorAll(".soft")) {
    label.hidden = !has(label, "profiles");
    if (!label.hidden) fitting.push(label);
  }
  software.hidden = software.disabled = fitting.length === 0;
  if (fitting.length === 0) return "";
  const radio = (label) => label.querySelector("input");
  const now =
    fitting.find((label) => radio(label).value === wished) ||
    fitting.find((label) => has(label, "proposed")) ||
    fitting[0];
  radio(now).checked = true;
  return now.querySelector("b").textContent;
}

function showChoice() {
  const card = chosen();
  const runs = showSoftware(card?.querySelector("input").value || "");
  const what = card ? `${card.dataset.title}${runs ? ` with ${runs}` : ""}` : "";
  for (const meter of limits.querySelectorAll("[data-meter]")) showMeter(meter, card);
  const price = card?.dataset.price;
  const ready = card?.dataset.readiness === "now";
  const waits = card?.dataset.readiness === "full";
  const verb = waits ? "Full: wait" : "Launch";
  button.textContent = price ? `${verb} · ${price}` : verb;
  button.dataset.busy = waits ? "Joining the queue…" : "Launching…";
  button.disabled = !ready && !waits;
  wait.value = waits ? "true" : "";
  hint.textContent = ready
    ? `Starts now: ${what}.`
    : waits
      ? `${what} starts by itself when its turn comes. You can close the page.`
      : card
        ? `${card.dataset.title} cannot start now. Choose another size.`
        : "Choose a size.";
}

/** Choose a size that a way names, and go on from there. */
function pick(profile) {
  const radio = document.getElementById(`pick-${profile}`);
  if (!radio || radio.disabled) return;
  radio.checked = true;
  radio.dispatchEvent(new Event("change", { bubbles: true }));
  button.focus();
  radio.closest(".card").scrollIntoView({ block: "center" });
}

function applyFilter() {
  if (!filter) return;
  const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const card of cards.querySelectorAll(".card")) {
    const fits =
      words.every((word) => card.dataset.search.includes(word)) &&
      (!onlyReady.checked || card.dataset.readiness === "now");
    card.dataset.filtered = "";
    card.hidden = !fits;
    if (fits) shown += 1;
  }
  found.textContent = `${shown} of ${cards.querySelectorAll(".card").length} sizes`;
  document.getElementById("none-found").hidden = shown > 0;
}

/** The name under which the hub would know the server; only for the hint below the field. */
function slug(text) {
  return text
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 30);
}

function showName() {
  if (!name || name.readOnly) return;
  const taken = JSON.parse(form.dataset.taken);
  const state = taken[slug(name.value)];
  if (state === undefined) nameHint.textContent = "";
  else if (state === "stopped") nameHint.textContent = "You have a stopped server of this name: it starts again with the size you choose.";
  else nameHint.textContent = `Your server of this name is ${state}. Choose another name.`;
}

function partsAddress() {
  const query = new URLSearchParams({
    server: form.dataset.server,
    profile: chosen()?.querySelector("input").value || "",
    group: group?.value || "",
    refused: form.dataset.refused,
  });
  return `${base}allotment/parts/launch?${query}`;
}

if (form) {
  const refresh = live(partsAddress, () => {
    showTimes();
    applyFilter();
    showChoice();
  });
  form.addEventListener("change", (event) => {
    if (event.target === group) refresh();
    if (event.target.name === "software") wished = event.target.value;
    if (["profile", "software"].includes(event.target.name)) showChoice();
    // What would be sooner is told of the size that is chosen.
    if (event.target.name === "profile" && chosen().dataset.readiness === "full") refresh();
    else if (event.target.name === "profile") help.replaceChildren();
  });
  document.addEventListener("click", (event) => {
    const way = event.target.closest("button[data-pick]");
    if (way) pick(way.dataset.pick);
  });
  filter?.addEventListener("input", applyFilter);
  onlyReady?.addEventListener("change", applyFilter);
  name?.addEventListener("input", showName);
  wished = wishedAtFirst();
  applyFilter();
  showChoice();
  showName();
  document.getElementById("refused")?.focus();
}
