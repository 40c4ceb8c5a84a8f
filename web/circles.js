/* Whether modules import each other in a circle. */

/**
 * The modules of a circle of imports, the first one at the end again; null where there is none.
 * @param {Record<string, { imports: { path: string }[] }>} inputs as in esbuild's metafile
 * @returns {string[] | null}
 */
export function circle(inputs) {
  /** @type {Set<string>} */
  const done = new Set();
  /** @type {(path: string, way: string[]) => string[] | null} */
  const visit = (path, way) => {
    if (way.includes(path)) return [...way.slice(way.indexOf(path)), path];
    if (done.has(path)) return null;
    for (const { path: next } of inputs[path]?.imports ?? []) {
      const found = visit(next, [...way, path]);
      if (found) return found;
    }
    done.add(path);
    return null;
  };
  for (const path of Object.keys(inputs)) {
    const found = visit(path, []);
    if (found) return found;
  }
  return null;
}
