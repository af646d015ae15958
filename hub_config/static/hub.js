// Calls to the hub's own API, as the person who is signed in.

const body = document.body.dataset;
export const base = body.hub;
export const user = body.user;

/** Join path parts below the hub, each part encoded. */
export function path(...parts) {
  return base + parts.map(encodeURIComponent).join("/");
}

/** The API's address of one of my servers; "" is the default server. */
export function serverPath(name) {
  return name === ""
    ? path("api", "users", user, "server")
    : path("api", "users", user, "servers", name);
}

/** Where the progress of a start is shown. */
export function pendingPage(name) {
  return name === "" ? path("spawn-pending", user) : path("spawn-pending", user, name);
}

/**
 * Ask the hub. Answers the parsed JSON, or null where there is none.
 * Fails with an Error whose message may be shown, and whose status is the answer's, where there is one.
 */
export async function ask(method, address, content) {
  let response;
  try {
    response = await fetch(address, {
      method,
      headers: {
        "Accept": "application/json",
        "Content-Type": "application/json",
        "X-XSRFToken": body.xsrf,
      },
      body: content === undefined ? undefined : JSON.stringify(content),
    });
  } catch {
    throw new Error("The hub did not answer. Check your connection, then try again.");
  }
  const text = await response.text();
  let answer = null;
  try {
    answer = text ? JSON.parse(text) : null;
  } catch {
    answer = null; // an answer that is not JSON has no message for us
  }
  if (!response.ok) {
    const words = answer?.message || `The hub answered ${response.status} ${response.statusText}.`;
    throw Object.assign(new Error(words), { status: response.status });
  }
  return answer;
}

const between = 1000; // milliseconds between two questions whether a server has stopped
const patience = 120; // such questions; what takes longer is looked after by the hub

/** Wait until the hub has seen a server of mine stop. Fails where that takes longer than two minutes. */
export async function stopped(name) {
  for (let asked = 0; asked < patience; asked += 1) {
    const { servers } = await ask("GET", path("api", "users", user));
    if (!servers?.[name]) return;
    await new Promise((resolve) => setTimeout(resolve, between));
  }
  throw new Error("The server is still stopping. Start it again when it has stopped.");
}

const full = 409; // the hub's answer where only shares and free devices stand in the way

/** Start a server of mine as it was. Where it is full, its page says why, and offers to wait. */
export async function startAgain(name, query = "") {
  try {
    await ask("POST", serverPath(name));
  } catch (error) {
    if (error.status !== full) throw error;
  }
  location.assign(pendingPage(name) + query);
}

/** Show a failure in the page's own place for it, and say it to who cannot see it. */
export function complain(message) {
  const place = document.getElementById("problem");
  if (!place) return;
  place.textContent = message;
  place.hidden = message === "";
  if (message) place.scrollIntoView({ block: "nearest" });
}
