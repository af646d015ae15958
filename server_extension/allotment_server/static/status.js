// The page fetches itself again and takes its live part, while somebody looks at it.
// Sources are tested from this server by a click.
"use strict";

const EVERY = 15_000; // milliseconds

async function refresh() {
  if (document.hidden) return;
  const connection = document.getElementById("connection");
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" }, redirect: "error" });
    if (!answer.ok) throw new Error(`answer ${answer.status}`);
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-live]");
    const shown = document.querySelector("[data-live]");
    if (fresh && fresh.innerHTML !== shown.innerHTML) take(shown, fresh);
    connection.textContent = "";
  } catch {
    connection.textContent = "This server does not answer. It may have been stopped; what stands here is old.";
  }
}

// Regions that scroll sideways keep their place and the focus.
function take(shown, fresh) {
  const focused = document.activeElement?.getAttribute("aria-labelledby");
  const places = new Map([...shown.querySelectorAll(".wide")].map((wide) => [wide.getAttribute("aria-labelledby"), wide.scrollLeft]));
  shown.replaceChildren(...fresh.childNodes);
  for (const wide of shown.querySelectorAll(".wide")) {
    const name = wide.getAttribute("aria-labelledby");
    wide.scrollLeft = places.get(name) ?? 0;
    if (name === focused) wide.focus({ preventScroll: true });
  }
  showFound();
}

// What tests have shown, by source: the page is drawn anew meanwhile.
const found = new Map();

function showFound() {
  for (const place of document.querySelectorAll("[data-found]")) {
    const words = found.get(place.dataset.found) ?? "";
    if (place.textContent !== words) place.textContent = words;
  }
  for (const button of document.querySelectorAll("[data-test]")) {
    button.disabled = (found.get(button.dataset.test) ?? "").endsWith("…");
  }
}

async function test(source) {
  found.set(source, `Testing ${source} …`);
  showFound();
  try {
    const xsrf = document.cookie.match(/(?:^|; )_xsrf=([^;]+)/)?.[1];
    const answer = await fetch("allotment/test", {
      method: "POST",
      headers: { "Content-Type": "application/json", ...(xsrf ? { "X-XSRFToken": xsrf } : {}) },
      body: JSON.stringify({ name: source }),
    });
    const told = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Error(told.message || `The server answered ${answer.status}.`);
    found.set(source, `${told.reached ? "Reached." : "Not reached."} ${told.words}`);
  } catch (error) {
    found.set(source, error.message);
  }
  showFound();
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-test]");
  if (button) test(button.dataset.test);
});

setInterval(refresh, EVERY);
document.addEventListener("visibilitychange", refresh);
