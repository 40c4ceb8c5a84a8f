// Made from web/ by `make web`; change it there.
"use strict";
(() => {
  // live/main.js
  var SILENCE = 35e3;
  var RETRY = [1e3, 1e4];
  var version = JSON.parse(document.getElementById("munet-live-version")?.textContent ?? '""');
  var program = null;
  var state = null;
  var behind = 0;
  var source = null;
  var wait = RETRY[0];
  var silence;
  var again;
  var fetching = false;
  var trouble = "";
  var bar = document.createElement("div");
  bar.id = "munet-live";
  var part = (name, attributes = {}, home = bar) => {
    const made = document.createElement("span");
    made.className = "munet-live-" + name;
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    home.append(made);
    return made;
  };
  part("dot", { "aria-hidden": "true" });
  var link = part("link", { role: "status" });
  var age = part("age");
  var note = part("note", { role: "status" });
  var header = document.querySelector("header");
  if (header) header.after(bar);
  else document.body.prepend(bar);
  var badge = header && part("dot munet-live-badge", { role: "img" }, header);
  if (location.search) history.replaceState(null, "", location.pathname + location.hash);
  var put = (element, text) => {
    if (element.textContent !== text) element.textContent = text;
  };
  var DOING = {
    empty: () => "no evolution has begun yet",
    evolving: (run) => run ? run.includes(",") ? `runs ${run} are evolving` : `run ${run} is evolving` : "an evolution is starting",
    interrupted: (run) => `run ${run} is not finished, and nothing on this machine evolves it now`,
    finished: (run) => `run ${run} has finished`
  };
  function since(seconds) {
    const units = [
      [86400, "day"],
      [3600, "hour"],
      [60, "minute"]
    ];
    for (const [size, name] of units) {
      const count = Math.floor(seconds / size);
      if (count) return `${count} ${name}${count > 1 ? "s" : ""}`;
    }
    return seconds < 5 ? "a moment" : `${Math.floor(seconds / 5) * 5} seconds`;
  }
  function show() {
    const live = source?.readyState === EventSource.OPEN ? state : null;
    const doing = state ? state.progress ?? DOING[state.activity](state.run) : "";
    document.documentElement.dataset.munetLive = live ? live.activity === "evolving" ? "evolving" : "live" : "lost";
    const lost = state ? "Not live: the server does not answer; trying again" : "Connecting";
    const says = live ? `Live: ${doing}` : trouble || lost;
    put(link, says);
    if (badge && badge.title !== says) {
      badge.title = says;
      badge.setAttribute("aria-label", says);
    }
    const seconds = state ? Math.max(0, (Date.now() - behind) / 1e3 - (state.changed ?? 0)) : 0;
    put(age, state && state.changed ? `nothing new for ${since(seconds)}` : "");
    put(note, state && state.note ? `The page shows an earlier state: ${state.note}` : "");
  }
  function heard(event) {
    const told = JSON.parse(event.data);
    state = told;
    behind = Date.now() - told.now * 1e3;
    wait = RETRY[0];
    trouble = "";
    clearTimeout(silence);
    silence = setTimeout(reopen, SILENCE);
    program ??= told.munet;
    if (program !== told.munet) return location.reload();
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
      setTimeout(take, 2e3);
      return;
    } finally {
      fetching = false;
    }
    take();
  }
  function change(payload) {
    try {
      window.munet.update(payload);
    } catch (error) {
      console.warn("munet watch:", error);
      location.reload();
    }
  }
  async function refused() {
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
  document.addEventListener("visibilitychange", () => document.hidden ? close() : reopen());
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", (event) => event.persisted && reopen());
  window.addEventListener("online", reopen);
  setInterval(show, 1e3);
  open();
  show();
})();
