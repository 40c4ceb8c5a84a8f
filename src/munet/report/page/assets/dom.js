/* Building elements. Text goes in as text nodes only, so that a name may hold anything. */

const SVG = "http://www.w3.org/2000/svg";

function fill(node, properties, children) {
  for (const [key, value] of Object.entries(properties || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key === "colour") node.style.background = value;
    else if (key === "css") for (const [name, v] of Object.entries(value)) node.style.setProperty(name, v);
    else node.setAttribute(key, value === true ? "" : value);
  }
  for (const child of children.flat(3))
    if (child !== null && child !== undefined && child !== false) node.append(child);
  return node;
}

const h = (tag, properties, ...children) => fill(document.createElement(tag), properties, children);
const s = (tag, properties, ...children) => fill(document.createElementNS(SVG, tag), properties, children);
const clear = (node) => (node.replaceChildren(), node);
const $ = (selector, root = document) => root.querySelector(selector);

/* A name that others chose: it keeps its own direction and does not turn that of its neighbours. Long ones break where
   a part of them ends. */
const bdi = (text) =>
  h(
    "bdi",
    { dir: "auto", class: String(text).length < 24 ? "short" : null },
    String(text)
      .split(/(?<=[-_./:])/)
      .flatMap((part, n) => (n ? [h("wbr"), part] : [part])),
  );

/* Width of a text in the page's font. */
const measuring = document.createElement("canvas").getContext("2d");
function widthOf(text, size = 12) {
  measuring.font = `${size}px ${theme.sans}`;
  return measuring.measureText(text).width;
}
const swatch = (colour) => h("span", { class: "swatch", colour, "aria-hidden": "true" });
const named = (colour, text) => h("span", { class: "named" }, swatch(colour), bdi(text));

/* Buttons of which one is pressed. `options`: [[value, label], ...]. */
function choice(label, options, value, changed) {
  const box = h("div", { class: "choice", role: "group", "aria-label": label });
  const press = (wanted) =>
    [...box.children].forEach((b) => b.setAttribute("aria-pressed", String(b.value === wanted)));
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

/* A select with a visible label. */
function select(label, options, value, changed) {
  const box = h(
    "select",
    { onchange: () => changed(box.value) },
    options.map(([key, text]) => h("option", { value: key, selected: key === value }, text)),
  );
  return h("label", {}, label, " ", box);
}

/* Fills a part of the page anew; tables that the reader had opened are open again. */
function refill(box, make) {
  const open = [...box.querySelectorAll("details[open] > summary")].map((summary) => summary.textContent);
  clear(box);
  make(box);
  for (const summary of box.querySelectorAll("details > summary"))
    if (open.includes(summary.textContent)) summary.parentElement.open = true;
}

/* A table from plain values, for readers who do not see the picture. Made when it is opened. */
function dataTable(title, rows) {
  const box = h("details", { class: "data" }, h("summary", {}, `${title}, as a table`));
  box.addEventListener("toggle", () => {
    if (!box.open || box.children.length > 1) return;
    const [head, ...body] = rows();
    const shown = body.slice(0, 3000);
    box.append(
      h(
        "div",
        { class: "scroll", tabindex: "0", role: "region", "aria-label": title },
        h(
          "table",
          {},
          h("caption", { class: "unseen" }, title),
          h(
            "thead",
            {},
            h(
              "tr",
              {},
              head.map((cell) => h("th", { scope: "col" }, cell)),
            ),
          ),
          h(
            "tbody",
            {},
            shown.map((row) =>
              h(
                "tr",
                {},
                row.map((cell, n) =>
                  h(n ? "td" : "th", n ? {} : { scope: "row" }, n ? String(cell ?? "–") : bdi(String(cell))),
                ),
              ),
            ),
          ),
        ),
      ),
    );
    if (shown.length < body.length)
      box.append(h("p", { class: "small" }, `The first ${count(shown.length)} of ${count(body.length)} rows.`));
  });
  return box;
}
