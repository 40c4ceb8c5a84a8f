/* The page of `munet serve`: an image that is dropped, pasted, chosen or taken goes to all tasks, and their answers are
   shown with bars. */

import { close, hasCamera, open, taken } from "./camera.js";

const MOST_SHARED = 4; // names of other tasks that are listed

/** @typedef {{label: string, score: number}} Guess */
/** @typedef {{task: string, model: string, answers: Guess[], shared: Record<string, number>, note?: string}} Answer */

/**
 * @template {HTMLElement} T
 * @param {string} id
 * @returns {T}
 */
const part = (id) => /** @type {T} */ (document.getElementById(id));

/**
 * An element with a text in it, never HTML.
 * @param {string} tag
 * @param {string} text
 */
function element(tag, text = "") {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}

/** @param {string} text @param {boolean} wrong */
function say(text, wrong = false) {
  const note = part("note");
  note.textContent = text;
  note.classList.toggle("wrong", wrong);
}

/** @param {Guess} guess */
function bar(guess) {
  const row = element("div");
  row.className = "row";
  const name = element("span", guess.label);
  name.title = guess.label;
  const meter = /** @type {HTMLMeterElement} */ (element("meter"));
  meter.value = guess.score;
  row.append(name, element("b", `${(100 * guess.score).toFixed(1)} %`), meter);
  return row;
}

/** @param {Record<string, number>} shared */
function sharing(shared) {
  const counts = [...new Set(Object.values(shared))].sort((a, b) => b - a);
  if (!counts.length) return "shares no layer with another task";
  const [most] = counts;
  const names = Object.keys(shared).filter((task) => shared[task] === most);
  const rest = Object.keys(shared).length - Math.min(names.length, MOST_SHARED);
  const listed = `${names.slice(0, MOST_SHARED).join(", ")}${rest ? ` and ${rest} more` : ""}`;
  return `shares ${counts.length > 1 ? "up to " : ""}${most} of its layers with ${listed}`;
}

/** @param {Answer} answer */
function card(answer) {
  const made = element("article");
  made.append(element("h2", answer.task), ...answer.answers.map(bar));
  made.append(element("p", `model ${answer.model.slice(0, 10)}, ${sharing(answer.shared)}`));
  if (answer.note) made.append(element("p", answer.note));
  return made;
}

/** @param {boolean} on */
function showCamera(on) {
  part("video").hidden = !on;
  part("take").hidden = !on;
  part("camera").textContent = on ? "Stop the camera" : "Use the camera";
}

function stopCamera() {
  close(part("video"));
  showCamera(false);
}

async function startCamera() {
  try {
    await open(part("video"));
    part("picture").hidden = true;
    part("hint").hidden = true;
    showCamera(true);
    say("");
  } catch (error) {
    say(error instanceof Error ? error.message : String(error), true);
  }
}

let asked = 0;

/** @param {Blob} image */
async function ask(image) {
  const mine = ++asked;
  const picture = /** @type {HTMLImageElement} */ (part("picture"));
  if (picture.src) URL.revokeObjectURL(picture.src);
  picture.src = URL.createObjectURL(image);
  picture.alt = "the image that was asked about";
  picture.hidden = false;
  part("hint").hidden = true;
  stopCamera();
  say("Asking all tasks…");
  try {
    const response = await fetch("/models?tasks=*&top_k=5", { method: "POST", body: image });
    const found = await response.json();
    if (mine !== asked) return;
    if (!response.ok) throw new Error(found.error);
    part("answers").replaceChildren(...found.tasks.map(card));
    const count = found.tasks.length;
    say(`${count} ${count === 1 ? "task" : "tasks"} answered in ${found.milliseconds} ms.`);
  } catch (error) {
    if (mine !== asked) return;
    part("answers").replaceChildren();
    say(error instanceof Error ? error.message : String(error), true);
  }
}

/** @param {DataTransfer | null} data */
function imageIn(data) {
  return [...(data?.files ?? [])].find((file) => file.type.startsWith("image/"));
}

async function tell() {
  const found = await (await fetch("/models")).json();
  const names = found.tasks.map((/** @type {{task: string}} */ one) => one.task);
  const about = names.length ? `${names.length === 1 ? "1 task" : `${names.length} tasks`}: ${names.join(", ")}` : "";
  part("about").textContent = about || "No task has a model yet. As soon as one has, it is served.";
}

const drop = part("drop");
const file = /** @type {HTMLInputElement} */ (part("file"));
file.addEventListener("change", () => {
  const chosen = file.files?.[0];
  if (chosen) void ask(chosen);
  file.value = "";
});
drop.addEventListener("keydown", (event) => {
  if (event.key === "Enter" || event.key === " ") file.click();
});
for (const name of ["dragenter", "dragover"]) {
  document.addEventListener(name, (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
}
document.addEventListener("dragleave", () => drop.classList.remove("over"));
document.addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  const image = imageIn(event.dataTransfer);
  if (image) void ask(image);
  else say("That is no image file.", true);
});
part("camera").addEventListener("click", () => {
  if (part("video").hidden) void startCamera();
  else {
    stopCamera();
    part("picture").hidden = !asked;
    part("hint").hidden = asked > 0;
  }
});
part("video").addEventListener("click", (event) => event.preventDefault()); // it lies in the label that opens the chooser
part("take").addEventListener("click", () => {
  taken(part("video")).then(ask, (error) => say(error.message, true));
});
void hasCamera().then((found) => {
  part("buttons").hidden = !found;
});
document.addEventListener("paste", (event) => {
  const image = imageIn(event.clipboardData);
  if (image) void ask(image);
});
tell().catch(() => say("The server does not answer.", true));
