/* Bundles the scripts: one file for the page of a report, one for what keeps it live, one for the
   page of a server. All are checked in, so that installing munet
   needs no Node. `--check` writes nothing and fails where a checked-in file is not what the sources build. */

import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { circle } from "./circles.js";

const HERE = new URL(".", import.meta.url);
const SOURCES = "../src/munet";
const BUNDLES = {
  "page/main.js": `${SOURCES}/report/page/assets/page.js`,
  "live/main.js": `${SOURCES}/report/watch/live.js`,
  "serve/main.js": `${SOURCES}/serving/page.js`,
};

/**
 * The text of a bundle. Throws where its modules import each other in a circle.
 * @param {string} entry
 */
async function bundled(entry) {
  const made = await build({
    entryPoints: [entry],
    absWorkingDir: fileURLToPath(HERE),
    bundle: true,
    write: false,
    metafile: true,
    format: "iife",
    target: "es2022",
    charset: "utf8",
    banner: { js: "// Made from web/ by `make web`; change it there." },
    logLevel: "error",
  });
  const found = circle(made.metafile.inputs);
  if (found) throw new Error(`modules import each other in a circle: ${found.join(" -> ")}`);
  return made.outputFiles[0].text;
}

const checking = process.argv.includes("--check");
for (const [entry, target] of Object.entries(BUNDLES)) {
  const file = new URL(target, HERE);
  const text = await bundled(entry);
  const name = fileURLToPath(file);
  if (!checking) {
    await writeFile(file, text);
    console.log(`${name}: ${text.length} characters`);
  } else if ((await readFile(file, "utf8").catch(() => "")) !== text) {
    console.error(`${name} is not what web/ builds: run \`make web\` and commit it`);
    process.exitCode = 1;
  }
}
