/* Pieces of text. */

/**
 * "a, b and c" of nodes or texts.
 * @template T
 * @param {T[]} parts
 * @returns {(T | string)[]}
 */
export function listed(parts) {
  return parts.flatMap((part, n) => (n === 0 ? [part] : [n === parts.length - 1 ? " and " : ", ", part]));
}

/** @param {string} name of a hyperparameter */
export const readable = (name) => name.replaceAll("_", " ");

/**
 * The beginning and the end of a text, so that it fits: names often differ in their last letters.
 * @param {string} text
 * @param {number} room
 * @param {(text: string) => number} measure
 */
export function shortened(text, room, measure) {
  if (measure(text) <= room) return text;
  const letters = [...text];
  for (let keep = letters.length - 1; keep > 1; keep--) {
    const tail = Math.floor(keep / 3);
    const cut = letters.slice(0, keep - tail).join("") + "…" + (tail ? letters.slice(-tail).join("") : "");
    if (measure(cut) <= room) return cut;
  }
  return "…";
}
