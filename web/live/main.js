// Keeps a page of `munet watch` up to date: listens to /events, and fetches /payload when its version is another one.

const SILENCE = 35000; // ms without a word after which the connection counts as dead; the server beats every 10 s
const RETRY = [1000, 10000]; // ms until a refused connection is tried again: at first, and at most

/** Version of the payload that is shown; "" for none. */
let version = JSON.parse(document.getElementById("munet-live-version")?.textContent ?? '""');
/** @type {string | null} */
let program = null; // version of munet that made this page's scripts
/**
 * What the server says of the system; times in seconds since 1970 by its clock.
 * @typedef {object} State
 * @property {"empty" | "evolving" | "interrupted" | "finished"} activity
 * @property {string | null} run
 * @property {string | null} progress of the runs that go on: how far, which task, how long
 * @property {string | null} version of the payload
 * @property {string} munet version
 * @property {string} note
 * @property {number} now
 * @property {number | null} changed
 */

/** @type {State | null} */
let state = null;
let behind = 0; // ms that this computer's clock is ahead of the server's
/** @type {EventSource | null} */
let source = null;
let wait = RETRY[0];
/** @type {ReturnType<typeof setTimeout> | undefined} */
let silence;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let again;
let fetching = false;
let trouble = "";

const bar = document.createElement("div");
bar.id = "munet-live";
/**
 * @param {string} name
 * @param {Record<string, string>} attributes
 * @param {HTMLElement} home
 */
const part = (name, attributes = {}, home = bar) => {
  const made = document.createElement("span");
  made.className = "munet-live-" + name;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  home.append(made);
  return made;
};
part("dot", { "aria-hidden": "true" });
const link = part("link", { role: "status" });
const age = part("age");
const note = part("note", { role: "status" });
const header = document.querySelector("header");
if (header) header.after(bar);
else document.body.prepend(bar);
// The header stays in sight when the bar has scrolled away.
const badge = header && part("dot munet-live-badge", { role: "img" }, header);
if (location.search) history.replaceState(null, "", location.pathname + location.hash); // the cookie has the token now

/**
 * @param {HTMLElement} element
 * @param {string} text
 */
const put = (element, text) => {
  if (element.textContent !== text) element.textContent = text; // screen readers read what changes
};

/** @type {Record<State["activity"], (run: string | null) => string>} */
const DOING = {
  empty: () => "no evolution has begun yet",
  evolving: (run) =>
    run ? (run.includes(",") ? `runs ${run} are evolving` : `run ${run} is evolving`) : "an evolution is starting",
  interrupted: (run) => `run ${run} is not finished, and nothing on this machine evolves it now`,
  finished: (run) => `run ${run} has finished`,
};

/** @param {number} seconds */
function since(seconds) {
  /** @type {[size: number, name: string][]} */
  const units = [
    [86400, "day"],
    [3600, "hour"],
    [60, "minute"],
  ];
  for (const [size, name] of units) {
    const count = Math.floor(seconds / size);
    if (count) return `${count} ${name}${count > 1 ? "s" : ""}`;
  }
  return seconds < 5 ? "a moment" : `${Math.floor(seconds / 5) * 5} seconds`;
}

function show() {
  const live = source?.readyState === EventSource.OPEN ? state : null;
  const doing = state ? (state.progress ?? DOING[state.activity](state.run)) : "";
  document.documentElement.dataset.munetLive = live ? (live.activity === "evolving" ? "evolving" : "live") : "lost";
  const lost = state ? "Not live: the server does not answer; trying again" : "Connecting";
  const says = live ? `Live: ${doing}` : trouble || lost;
  put(link, says);
  if (badge && badge.title !== says) {
    badge.title = says;
    badge.setAttribute("aria-label", says);
  }
  const seconds = state ? Math.max(0, (Date.now() - behind) / 1000 - (state.changed ?? 0)) : 0;
  put(age, state && state.changed ? `nothing new for ${since(seconds)}` : "");
  put(note, state && state.note ? `The page shows an earlier state: ${state.note}` : "");
}

/** @param {MessageEvent} event */
function heard(event) {
  /** @type {State} */
  const told = JSON.parse(event.data);
  state = told;
  behind = Date.now() - told.now * 1000;
  wait = RETRY[0];
  trouble = "";
  clearTimeout(silence);
  silence = setTimeout(reopen, SILENCE);
  program ??= told.munet;
  if (program !== told.munet) return location.reload(); // the server was updated, and so were the scripts
  show();
  take();
}

async function take() {
  if (fetching || !state || state.version === null || state.version === version) return;
  fetching = true;
  const wanted = state.version;
  try {
    const answer = await fetch("/payload", { credentials: "same-origin" });
    if (!answer.ok) throw new Error(await answer.text());
    const payload = await answer.json();
    version = (answer.headers.get("ETag") || "").replace(/^W\/|"/g, "") || wanted;
    change(payload);
  } catch (error) {
    console.warn("munet watch:", error);
    setTimeout(take, 2000);
    return;
  } finally {
    fetching = false;
  }
  take(); // it may have changed again meanwhile
}

/** @param {Payload} payload */
function change(payload) {
  try {
    window.munet.update(payload);
  } catch (error) {
    // The page that waits for a first payload, or one whose scripts are older than the payload. The new page shows
    // what there is, so it is loaded at most once for each version.
    console.warn("munet watch:", error);
    location.reload();
  }
}

async function refused() {
  // The browser gave up, and does not say why. Where the server answers, it does.
  try {
    const answer = await fetch("/state", { credentials: "same-origin" });
    if (!answer.ok) trouble = `Not live: ${(await answer.text()).trim()}`;
  } catch {
    trouble = "";
  }
  show();
}

function open() {
  clearTimeout(again);
  if (source || document.hidden) return;
  const opened = new EventSource("/events");
  source = opened;
  opened.addEventListener("state", heard);
  opened.onopen = show;
  opened.onerror = () => {
    if (opened.readyState === EventSource.CLOSED) {
      close();
      again = setTimeout(open, wait);
      wait = Math.min(2 * wait, RETRY[1]);
      refused();
    }
    show();
  };
  clearTimeout(silence);
  silence = setTimeout(reopen, SILENCE);
}

function close() {
  clearTimeout(silence);
  clearTimeout(again);
  if (source) source.close();
  source = null;
}

function reopen() {
  close();
  open();
  show();
}

// A hidden tab asks for nothing: browsers allow few connections to one server, and nobody looks.
document.addEventListener("visibilitychange", () => (document.hidden ? close() : reopen()));
window.addEventListener("pagehide", close);
window.addEventListener("pageshow", (event) => event.persisted && reopen());
window.addEventListener("online", reopen);
setInterval(show, 1000);
open();
show();
