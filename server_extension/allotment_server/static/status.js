// The page fetches itself again and takes its live part, while somebody looks at it.
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
}

setInterval(refresh, EVERY);
document.addEventListener("visibilitychange", refresh);
