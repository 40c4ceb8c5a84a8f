/* What the reader looks at: the step, what is pointed at and what is chosen, the theme. Views listen for changes. */

const state = { data: null, growth: null, step: 0, playing: false, hover: null, chosen: null, query: "", live: false };
const listeners = {};
const on = (event, listener) => {
  (listeners[event] ||= []).push(listener);
};
const emit = (event, detail) => {
  for (const listener of listeners[event] || []) listener(detail);
};

/* A focus is {kind: "task", task}, {kind: "layer", layer} or {kind: "model", step}. */
const focus = () => state.hover || state.chosen;
const same = (a, b) =>
  a === b || Boolean(a && b && a.kind === b.kind && a.task === b.task && a.layer === b.layer && a.step === b.step);

function hover(wanted) {
  if (same(state.hover, wanted)) return;
  state.hover = wanted;
  emit("focus");
}

function choose(wanted) {
  const { data } = state;
  const there = {
    task: data.tasks[wanted?.task],
    layer: data.layers.slot[wanted?.layer] !== undefined,
    model: wanted?.step < data.count,
  };
  if (wanted && !there[wanted.kind]) return;
  state.chosen = same(state.chosen, wanted) ? null : wanted;
  state.hover = null;
  emit("choice");
  emit("focus");
}

function goto(step) {
  const wanted = Math.max(0, Math.min(state.data.count - 1, Math.round(step)));
  if (state.data.count === 0 || wanted === state.step) return;
  state.step = wanted;
  state.moved = state.growth.goto(wanted);
  emit("step");
}

const atEnd = () => state.step >= state.data.count - 1;

/* Theme: the reader's system decides until the button does. The colours for canvases are read from the style sheet. */
const theme = { dark: false, colours: {} };

function readTheme() {
  const style = getComputedStyle(document.documentElement);
  const names = [
    "ground",
    "panel",
    "ink",
    "muted",
    "faint",
    "rule",
    "hair",
    "accent",
    "root",
    "root-ink",
    "sampled",
    "heat-0",
    "heat-1",
    "heat-2",
  ];
  for (const name of names) theme.colours[name] = style.getPropertyValue(`--${name}`).trim();
  theme.sans = style.getPropertyValue("--sans");
}

function setTheme(dark) {
  theme.dark = dark;
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  readTheme();
  emit("theme");
}

function startTheme(button) {
  const system = matchMedia("(prefers-color-scheme: dark)");
  let own = null;
  try {
    own = localStorage.getItem("munet-theme");
  } catch {
    /* pages from a file may have no storage */
  }
  const label = () => {
    button.textContent = theme.dark ? "Light" : "Dark";
    button.setAttribute("aria-label", theme.dark ? "Switch to light colours" : "Switch to dark colours");
  };
  button.addEventListener("click", () => {
    own = theme.dark ? "light" : "dark";
    try {
      localStorage.setItem("munet-theme", own);
    } catch {
      /* as above */
    }
    setTheme(own === "dark");
    label();
  });
  system.addEventListener("change", () => {
    if (!own) {
      setTheme(system.matches);
      label();
    }
  });
  setTheme(own ? own === "dark" : system.matches);
  label();
}

const taskColour = (task) => state.data.tasks[task]?.[theme.dark ? "dark" : "colour"] ?? theme.colours.root;

/* Ink on a fill: whichever of dark and white reads better (relative luminance of WCAG 2). */
function inkOn(colour) {
  const channels = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16) / 255);
  const [r, g, b] = channels.map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b > 0.3 ? "#1b2127" : "#ffffff";
}
