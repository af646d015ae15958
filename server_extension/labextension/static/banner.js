// The banner in JupyterLab: when this server is stopped, why, and a button that puts it off; and what
// else its owner should know, such as that a server that waited has started.
//
// A prebuilt extension as JupyterLab loads it: a container with init and get. It is written by hand,
// needs no build, and shares one class with JupyterLab, the widget of its shell; where that is not
// to be had, the banner lies over the foot of the page instead.
(() => {
  "use strict";

  const NAME = "allotment-endings";
  const ASIDE = "allotment-told"; // what was set aside in this browser; the home page uses the same list
  const LOOK_EVERY = 15_000; // milliseconds between two looks; the server itself hears each half minute
  const STYLE = `
    #${NAME} { box-sizing: border-box; display: flex; flex-wrap: wrap; align-items: center; gap: 4px 14px;
      min-height: 44px; overflow: auto; padding: 6px 14px; font: 14px/1.4 var(--jp-ui-font-family, system-ui, sans-serif);
      background: #fff4d6; color: #4d3400; border-bottom: 1px solid #d9a520 }
    #${NAME}[hidden] { display: none }
    #${NAME}.over { position: fixed; inset: auto 0 0 0; z-index: 10000; border-bottom: 0; border-top: 1px solid #d9a520 }
    #${NAME} strong { font-weight: 650; font-variant-numeric: tabular-nums }
    #${NAME} .why { flex: 1 1 20em; min-width: 0 }
    #${NAME} .said { flex-basis: 100%; color: #8a2b0a } #${NAME} .said:empty { display: none }
    #${NAME} a { color: inherit; text-underline-offset: 3px }
    #${NAME} button { font: inherit; font-weight: 600; padding: 3px 12px; border-radius: 6px; cursor: pointer;
      border: 1px solid #855900; background: #fffdf5; color: #4d3400 }
    #${NAME} button:disabled { opacity: .6; cursor: default }
    #${NAME} :focus-visible { outline: 3px solid #1f7a4d; outline-offset: 2px }
    #${NAME} [hidden] { display: none }
    #${NAME} .told-all { display: contents }
    #${NAME} .told { flex-basis: 100%; display: flex; flex-wrap: wrap; align-items: center; gap: 4px 14px }
    #${NAME} .told + .told { border-top: 1px solid color-mix(in srgb, currentColor 18%, transparent); padding-top: 4px }
    #${NAME} .told span { flex: 1 1 20em; min-width: 0; overflow-wrap: anywhere }
    #${NAME} .told .found { flex-basis: 100% } #${NAME} .found:empty { display: none }
    #${NAME}.calm { background: #e3f1e9; color: #10301f; border-color: #1f7a4d }
    #${NAME}.calm button { border-color: #1f7a4d; background: #fff; color: #10301f }
    [data-jp-theme-light="false"] #${NAME}.calm { background: #14281c; color: #cfeedd; border-color: #2f8a5c }
    [data-jp-theme-light="false"] #${NAME}.calm button { border-color: #4cc488; color: #cfeedd }
    [data-jp-theme-light="false"] #${NAME} { background: #35290b; color: #f7e3a8; border-color: #7d6012 }
    [data-jp-theme-light="false"] #${NAME} .said { color: #f2a98a }
    [data-jp-theme-light="false"] #${NAME} button { background: #1b201c; color: #f7e3a8; border-color: #d9a520 }`;

  let shared = {};

  /** The class of JupyterLab's widgets, or null where it shares none. */
  async function widgetClass() {
    try {
      const versions = Object.values(shared["@lumino/widgets"] ?? {});
      return versions.length ? (await versions[0].get())().Widget : null;
    } catch {
      return null;
    }
  }

  /** How much time is left, as people say it. */
  function left(seconds) {
    if (seconds <= 0) return "now";
    if (seconds < 60) return `in ${Math.ceil(seconds)} s`;
    if (seconds < 3600) return `in ${Math.floor(seconds / 60)} min`;
    const minutes = Math.floor(seconds / 60);
    return `in ${Math.floor(minutes / 60)} h ${minutes % 60} min`;
  }

  function element(tag, className = "", text = "") {
    const made = document.createElement(tag);
    made.className = className;
    made.textContent = text;
    return made;
  }

  /** The notices that were set aside here, by id. */
  function setAside() {
    try {
      return JSON.parse(localStorage.getItem(ASIDE)) || [];
    } catch {
      return []; // no storage: a notice stays until its time is over
    }
  }

  class Banner {
    constructor(settings) {
      this.settings = settings;
      this.node = element("div");
      this.node.id = NAME;
      this.node.hidden = true;
      this.node.setAttribute("role", "region");
      this.node.setAttribute("aria-label", "This server ends");
      this.when = element("strong", "when");
      this.why = element("span", "why");
      // What is said aloud changes seldom: the seconds that pass are not.
      this.why.setAttribute("role", "status");
      this.more = element("a", "", "Use and limits");
      this.more.target = "_blank";
      this.button = element("button", "", "Extend");
      this.button.type = "button";
      this.button.addEventListener("click", () => this.extend());
      this.said = element("span", "said");
      this.said.setAttribute("role", "alert");
      this.told = element("div", "told-all");
      this.told.setAttribute("role", "status");
      this.ending = [this.when, this.why, this.button, this.more];
      this.node.append(...this.ending, this.said, this.told);
      this.answer = null;
      this.changed = () => {};
    }

    async ask(path, init = {}) {
      const { serverSettings, makeRequest } = this.settings;
      const answer = await makeRequest(`${serverSettings.baseUrl}allotment/${path}`, init);
      const document = await answer.json().catch(() => ({}));
      if (!answer.ok) throw new Error(document.message || `The server answered ${answer.status}.`);
      return document;
    }

    async look() {
      if (document.hidden) return;
      try {
        this.take(await this.ask("endings"));
      } catch {
        // The server does not answer: JupyterLab says so itself. What stands here goes on counting.
      }
    }

    take(answer) {
      // The server's clock counts: this browser's may be wrong.
      this.ahead = Date.now() - Date.parse(answer.now);
      this.show(answer);
    }

    show(answer) {
      this.answer = answer;
      const first = answer.endings[0];
      const aside = setAside();
      const notices = (answer.notices || []).filter((one) => one.id && !aside.includes(one.id));
      this.tell(notices);
      this.node.hidden = !first && notices.length === 0;
      this.node.classList.toggle("calm", !first);
      this.node.setAttribute("aria-label", first ? "This server ends" : "Notices");
      for (const one of this.ending) one.hidden = !first;
      if (first) {
        const others = answer.endings.slice(1).map((one) => one.words.toLowerCase());
        const also = others.length ? ` (also: ${others.join(", ")})` : "";
        const why = `${first.message}${also}`;
        if (this.why.textContent !== why) this.why.textContent = why;
        const by = Math.max(...answer.endings.map((one) => one.extend_by));
        this.button.hidden = by <= 0;
        this.button.textContent = `Extend by ${by >= 60 ? `${Math.round(by / 60)} min` : `${by} s`}`;
        this.more.href = answer.status_url;
      } else {
        this.said.textContent = "";
      }
      this.tick();
      this.changed(!this.node.hidden);
    }

    /** Show notices, each until it is set aside; those that are shown already stay as they are. */
    tell(notices) {
      const known = new Map([...this.told.children].map((one) => [one.dataset.id, one]));
      this.told.replaceChildren(...notices.map((one) => known.get(one.id) || this.notice(one)));
    }

    notice(one) {
      const line = element("div", "told");
      line.dataset.id = one.id;
      const where = element("a", "", "My servers");
      where.href = this.answer.home_url;
      where.target = "_blank";
      where.hidden = !this.answer.home_url;
      const button = element("button", "", "Set aside");
      button.type = "button";
      button.setAttribute("aria-label", `Set aside: ${one.message}`);
      button.addEventListener("click", () => {
        try {
          localStorage.setItem(ASIDE, JSON.stringify([...setAside(), one.id].slice(-50)));
        } catch {
          // no storage: it comes back with the next look
        }
        line.remove();
        this.show({ ...this.answer, notices: this.answer.notices.filter((each) => each.id !== one.id) });
      });
      line.append(element("span", "", one.message), ...(one.source ? this.tester(one.source) : []), where, button);
      return line;
    }

    /** A button that tries from this server whether a source can be read, and where it says so. */
    tester(source) {
      const button = element("button", "", "Test");
      button.type = "button";
      button.setAttribute("aria-label", `Test ${source} from this server`);
      const found = element("span", "found");
      found.setAttribute("role", "status");
      button.addEventListener("click", async () => {
        button.disabled = true;
        found.textContent = `Testing ${source} …`;
        try {
          const answer = await this.ask("test", { method: "POST", body: JSON.stringify({ name: source }) });
          found.textContent = `${answer.reached ? "Reached." : "Not reached."} ${answer.words}`;
        } catch (error) {
          found.textContent = error.message;
        } finally {
          button.disabled = false;
          this.changed(true);
        }
      });
      return [button, found];
    }

    tick() {
      const first = this.answer?.endings[0];
      if (!first) return;
      const seconds = (Date.parse(first.stop_at) + this.ahead - Date.now()) / 1000;
      const text = `This server is stopped ${left(seconds)}.`;
      if (this.when.textContent !== text) this.when.textContent = text;
      this.when.title = new Date(Date.parse(first.stop_at) + this.ahead).toLocaleString();
    }

    async extend() {
      this.said.textContent = "";
      this.button.disabled = true;
      try {
        this.take(await this.ask("extend", { method: "POST", body: "{}" }));
      } catch (error) {
        this.said.textContent = error.message;
        this.changed(true);
      } finally {
        this.button.disabled = false;
      }
    }
  }

  /** A request to this server with JupyterLab's own token or cookie. */
  function requests(serverSettings) {
    return (url, init) => {
      const headers = { "Content-Type": "application/json" };
      if (serverSettings.token) headers.Authorization = `token ${serverSettings.token}`;
      const xsrf = document.cookie.match(/(?:^|; )_xsrf=([^;]+)/)?.[1];
      if (xsrf) headers["X-XSRFToken"] = xsrf;
      return fetch(url, { cache: "no-store", credentials: "same-origin", ...init, headers });
    };
  }

  /** As high as its lines are: JupyterLab gives a widget of its header the least height that it says. */
  function fit(widget) {
    const foot = [...widget.node.querySelectorAll(":scope > *, .told")].map((child) => child.offsetTop + child.offsetHeight);
    const height = `${Math.max(38, ...foot) + 7}px`; // padding and line
    if (widget.isHidden || widget.node.style.minHeight === height) return;
    widget.node.style.minHeight = height;
    widget.parent.fit();
  }

  function activate(app) {
    document.head.append(element("style", "", STYLE));
    const serverSettings = app.serviceManager.serverSettings;
    const banner = new Banner({ serverSettings, makeRequest: requests(serverSettings) });
    setInterval(() => banner.tick(), 1000);
    setInterval(() => banner.look(), LOOK_EVERY);
    document.addEventListener("visibilitychange", () => banner.look());
    // Not waited for: the application waits for what its extensions do here.
    show(app, banner).then(() => banner.look());
  }

  /** Above everything else in JupyterLab; else over the foot of the page. */
  async function show(app, banner) {
    const Widget = await widgetClass();
    let widget = null;
    try {
      widget = new Widget({ node: banner.node });
      widget.id = NAME;
      widget.hide();
      app.shell.add(widget, "header");
    } catch {
      widget = null;
    }
    // What is added before the layout is restored is put in place then.
    await app.restored;
    if (widget?.parent) {
      banner.changed = (shown) => {
        widget.setHidden(!shown);
        if (shown) requestAnimationFrame(() => fit(widget));
      };
      addEventListener("resize", () => requestAnimationFrame(() => fit(widget)));
    } else {
      banner.node.className = "over";
      document.body.append(banner.node);
    }
  }

  const plugin = { id: `${NAME}:banner`, description: "Tells when this server is stopped.", autoStart: true, activate };
  window._JUPYTERLAB = window._JUPYTERLAB || {};
  window._JUPYTERLAB[NAME] = {
    init(scope) { shared = scope; },
    async get() { return () => ({ __esModule: true, default: plugin }); },
  };
})();
