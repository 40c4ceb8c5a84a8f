/* Light and dark: the reader's system decides until the button does. Canvases get their colours from the style sheet. */

import { emit, state } from "../model/state.js";

const NAMES = /** @type {const} */ ([
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
]);

/** @type {{ dark: boolean, sans: string, colours: Record<typeof NAMES[number], Colour> }} */
export const theme = { dark: false, sans: "sans-serif", colours: Object.create(null) };

function readTheme() {
  const style = getComputedStyle(document.documentElement);
  for (const name of NAMES) theme.colours[name] = style.getPropertyValue(`--${name}`).trim();
  theme.sans = style.getPropertyValue("--sans");
}

/** @param {boolean} dark */
function setTheme(dark) {
  theme.dark = dark;
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  readTheme();
  emit("theme");
}

/** @param {HTMLElement} button */
export function startTheme(button) {
  const system = matchMedia("(prefers-color-scheme: dark)");
  /** @type {string | null} as the reader chose */
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
    const wanted = theme.dark ? "light" : "dark";
    own = wanted;
    try {
      localStorage.setItem("munet-theme", wanted);
    } catch {
      /* as above */
    }
    setTheme(wanted === "dark");
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
  let dark = theme.dark;
  addEventListener("beforeprint", () => {
    dark = theme.dark;
    if (dark) setTheme(false); // paper is white
  });
  addEventListener("afterprint", () => {
    if (dark) setTheme(true);
  });
}

/** @param {number} task */
export const taskColour = (task) => state.data.tasks[task]?.[theme.dark ? "dark" : "colour"] ?? theme.colours.root;
