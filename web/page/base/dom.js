/* Building elements. Text goes in as text nodes only, so that a name may hold anything. */

const SVG = "http://www.w3.org/2000/svg";

/**
 * What may stand inside an element; nothing of null, undefined and false is shown.
 * @typedef {Node | string | number | null | undefined | false | readonly Child[]} Child
 */

/**
 * Attributes; besides, `on...` are listeners, `colour` is the background and `css` sets properties of the style.
 * @typedef {Record<string, any> & { colour?: Colour, css?: Record<string, string> }} Properties
 */

/**
 * @param {Element} node
 * @param {readonly Child[]} children
 */
function put(node, children) {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    if (child instanceof Node) node.append(child);
    else if (typeof child === "object") put(node, child);
    else node.append(String(child));
  }
}

/**
 * @template {HTMLElement | SVGElement} T
 * @param {T} node
 * @param {Properties} properties
 * @param {Child[]} children
 * @returns {T}
 */
function fill(node, properties, children) {
  for (const [key, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key === "colour") node.style.background = value;
    else if (key === "css") for (const [name, v] of Object.entries(value)) node.style.setProperty(name, v);
    else node.setAttribute(key, value === true ? "" : value);
  }
  put(node, children);
  return node;
}

/**
 * An element of HTML.
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Properties} [properties]
 * @param {Child[]} children
 */
export const h = (tag, properties = {}, ...children) => fill(document.createElement(tag), properties, children);

/**
 * An element of SVG.
 * @template {keyof SVGElementTagNameMap} K
 * @param {K} tag
 * @param {Properties} [properties]
 * @param {Child[]} children
 */
export const s = (tag, properties = {}, ...children) => fill(document.createElementNS(SVG, tag), properties, children);

/**
 * @template {Element} T
 * @param {T} node
 */
export const clear = (node) => (node.replaceChildren(), node);

/**
 * A name that others chose: it keeps its own direction and does not turn that of its neighbours. Long ones break where
 * a part of them ends.
 * @param {string} text
 */
export const bdi = (text) =>
  h(
    "bdi",
    { dir: "auto", class: String(text).length < 24 ? "short" : null },
    String(text)
      .split(/(?<=[-_./:])/)
      .flatMap((part, n) => (n ? [h("wbr"), part] : [part])),
  );

/**
 * The element of the page that a selector names; it must be there.
 * @param {string} selector
 * @returns {HTMLElement}
 */
export function $(selector) {
  const found = document.querySelector(selector);
  if (!(found instanceof HTMLElement)) throw new Error(`munet: the page has no ${selector}`);
  return found;
}

/** @param {Colour} colour */
export const swatch = (colour) => h("span", { class: "swatch", colour, "aria-hidden": "true" });

/**
 * @param {Colour} colour
 * @param {string} text
 */
export const named = (colour, text) => h("span", { class: "named" }, swatch(colour), bdi(text));

/**
 * Buttons of which one is pressed.
 * @param {string} label
 * @param {[value: string, text: string][]} options
 * @param {string} value the one that is pressed at first
 * @param {(value: string) => void} changed
 */
export function choice(label, options, value, changed) {
  const box = h("div", { class: "choice", role: "group", "aria-label": label });
  /** @param {string} wanted */
  const press = (wanted) =>
    box.querySelectorAll("button").forEach((b) => b.setAttribute("aria-pressed", String(b.value === wanted)));
  for (const [key, text] of options) {
    box.append(
      h(
        "button",
        {
          type: "button",
          value: key,
          onclick: () => {
            press(key);
            changed(key);
          },
        },
        text,
      ),
    );
  }
  press(value);
  return box;
}

/**
 * A select with a visible label.
 * @param {string} label
 * @param {[value: string, text: string][]} options
 * @param {string} value
 * @param {(value: string) => void} changed
 */
export function select(label, options, value, changed) {
  const box = h(
    "select",
    { onchange: () => changed(box.value) },
    options.map(([key, text]) => h("option", { value: key, selected: key === value }, text)),
  );
  return h("label", {}, label, " ", box);
}

/**
 * Fills a part of the page anew; tables that the reader had opened are open again.
 * @param {HTMLElement} box
 * @param {(box: HTMLElement) => void} make
 */
export function refill(box, make) {
  const open = [...box.querySelectorAll("details[open] > summary")].map((summary) => summary.textContent ?? "");
  clear(box);
  make(box);
  for (const details of box.querySelectorAll("details"))
    if (open.includes(details.querySelector("summary")?.textContent ?? "")) details.open = true;
}
