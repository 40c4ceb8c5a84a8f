/* What the page was made from: notes, runs, keys. */

import { bdi, h } from "../base/dom.js";
import { NOTHING, count, duration } from "../base/numbers.js";

/** @type {Section} */
export const about = {
  id: "about",
  name: "About",
  title: "About this page",
  how: "What the page was made from, and what it could not show.",
  fill,
};

/**
 * @param {Data} data
 * @param {HTMLElement} body
 */
function fill(data, body) {
  body.append(
    data.notes.length
      ? h(
          "div",
          { class: "notice", css: { margin: "0 0 24px" } },
          h(
            "ul",
            {},
            data.notes.map((note) => h("li", {}, bdi(note))),
          ),
        )
      : h("p", {}, "Nothing is missing or damaged."),
  );
  if (data.runs.length) {
    body.append(
      h("h3", { css: { margin: "22px 0 10px" } }, "Runs"),
      h(
        "div",
        { class: "scroll", tabindex: "0", role: "region", "aria-label": "Runs" },
        h(
          "table",
          { class: "plain" },
          h(
            "thead",
            {},
            h(
              "tr",
              {},
              ["run", "method", "seed", "children", "time", "device", "started", "finished"].map((text) =>
                h("th", { scope: "col" }, text),
              ),
            ),
          ),
          h(
            "tbody",
            {},
            data.runs.map((run) =>
              h(
                "tr",
                {},
                h("th", { scope: "row" }, run.run),
                [
                  run.method,
                  run.seed,
                  count(run.children),
                  duration(run.seconds),
                  run.device,
                  when(run.started),
                  when(run.finished),
                ].map((text) => h("td", {}, String(text ?? NOTHING))),
              ),
            ),
          ),
        ),
      ),
    );
  }
  body.append(
    h("h3", { css: { margin: "28px 0 10px" } }, "Keys"),
    h(
      "p",
      { class: "small" },
      "At the network: space plays and pauses, the arrows go one child back or on (ten with Shift). " +
        "In the drawing of the network, once it has the focus, left and right choose a task, up and down a layer, + and − zoom, 0 shows all, Escape clears.",
    ),
    h(
      "p",
      { class: "small" },
      "Root ",
      bdi(data.root?.source ?? NOTHING),
      data.root?.model ? [" (", h("code", {}, data.root.model), ")"] : null,
      `. Made by munet ${data.made.munet}; the page needs no network.`,
    ),
  );
}

/** @param {string | null} text */
const when = (text) => (text ? text.slice(0, 16).replace("T", " ") : NOTHING);
