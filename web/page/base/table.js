/* Numbers of a picture as a table. */

import { bdi, h } from "./dom.js";
import { count } from "./numbers.js";

/**
 * A table from plain values, for readers who do not see the picture. Made when it is opened.
 * @param {string} title
 * @param {() => (string | number | null | undefined)[][]} rows the first holds the headings
 */
export function dataTable(title, rows) {
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
