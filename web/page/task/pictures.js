/* Images of a task: some of each class, and those that its model is most wrong about. */

import { bdi, h } from "../base/dom.js";
import { count, counted, percent } from "../base/numbers.js";

/**
 * @param {string} address
 * @param {string} text for those who do not see it
 */
export const picture = (address, text) =>
  h("img", { src: address, alt: text, width: 64, height: 64, decoding: "async" });

/**
 * @param {Seen} seen
 * @param {boolean} isPrivate
 */
export function samples(seen, isPrivate) {
  if (!seen.samples.length)
    return h(
      "p",
      { class: "none" },
      isPrivate
        ? ["The task is private: only ", h("code", {}, "munet report --private-images"), " shows its images."]
        : "This page was made without thumbnails.",
    );
  /** @type {Map<number, Seen["samples"]>} */
  const byClass = new Map();
  for (const one of seen.samples) byClass.set(one[0], [...(byClass.get(one[0]) ?? []), one]);
  const there = seen.test.by_class[0].filter((images) => images).length;
  const which =
    byClass.size < there
      ? `of the ${count(byClass.size)} of ${counted(there, "class")} with the lowest accuracy`
      : "of each class";
  return h(
    "div",
    {},
    h("h2", {}, "Its images"),
    h("p", { class: "how" }, `The first test images ${which}.`),
    h(
      "div",
      { class: "samples" },
      [...byClass].map(([label, images]) =>
        h(
          "figure",
          {},
          h(
            "div",
            {},
            images.map(([, image, address]) => picture(address, `test image ${image} of class ${seen.classes[label]}`)),
          ),
          h("figcaption", { class: "small" }, bdi(seen.classes[label])),
        ),
      ),
    ),
  );
}

/**
 * @param {Seen} seen
 * @param {"validation" | "test"} split
 */
export function errors(seen, split) {
  const { errors: listed, examples, correct } = seen[split];
  const wrong = examples - correct;
  const title = h("h2", {}, "What is wrong");
  if (!wrong) return h("div", {}, title, h("p", { class: "how" }, `Nothing: all ${split} images are answered right.`));
  const shown = listed.filter(([, , , , , address]) => address);
  const said =
    `${counted(wrong, `${split} image`)} of ${count(examples)} ${wrong === 1 ? "is" : "are"} answered wrongly. ` +
    (shown.length
      ? `${shown.length < wrong ? `The ${count(shown.length)} worst` : "They are shown"}: those whose right class the ` +
        "model finds least likely first. An odd label often stands among them."
      : "The worst are those whose right class the model finds least likely.");
  const items = (shown.length ? shown : listed.slice(0, 12)).map(
    ([image, label, answer, confidence, ofRight, address]) =>
      h(
        "li",
        {},
        address ? picture(address, `${split} image ${image}`) : null,
        h(
          "div",
          {},
          "answered ",
          h("b", {}, bdi(seen.classes[answer])),
          `, ${percent(confidence, 0)}\u00a0%`,
          h("br"),
          h(
            "span",
            { class: "small" },
            "is ",
            bdi(seen.classes[label]),
            `, ${percent(ofRight, ofRight < 0.01 ? 1 : 0)}\u00a0%`,
          ),
          h("br"),
          h("span", { class: "small" }, `${split} ${image}`),
        ),
      ),
  );
  return h("div", {}, title, h("p", { class: "how" }, said), h("ul", { class: "errors" }, items));
}
