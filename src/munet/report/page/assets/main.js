/* The page: sections are filled when they come near the window, the others whenever there is time; all of them again
   when the data changes. */

const SECTIONS = {
  summary,
  tasks: leaderboard,
  sharing,
  flow,
  progress,
  learning,
  settings,
  mutations,
  rejected,
  costs,
  about,
};
let growing = null;
const filled = new Set(), // with the data as it is
  near = new Set(); // to the window

function fillSection(id) {
  const body = $(`#${id} [data-body]`);
  body.style.minHeight = `${body.offsetHeight}px`; // what is filled anew must not make the page jump
  refill(body, () => SECTIONS[id](state.data, body));
  filled.add(id);
  requestAnimationFrame(() => {
    body.style.minHeight = "";
  });
}

const fillMissing = () => Object.keys(SECTIONS).forEach((id) => filled.has(id) || fillSection(id));

/* Fills what is left, one section at a time, so that nothing else has to wait. */
function fillLater() {
  const idle = window.requestIdleCallback ?? ((then) => setTimeout(then, 100));
  idle(() => {
    const left = Object.keys(SECTIONS).find((id) => !filled.has(id));
    if (!left) return;
    fillSection(left);
    fillLater();
  });
}

/* Takes a payload in place of the one before. Step, choice and place on the page stay. */
function update(payload) {
  if (payload?.schema !== 1) throw new Error(`munet: a payload of schema 1 is needed, not ${payload?.schema}`);
  const before = state.data,
    ended = !before || atEnd();
  const chosen = before && state.chosen;
  const data = new Data(payload);
  state.data = data;
  state.growth = new Growth(data);
  state.step = ended ? Math.max(0, data.count - 1) : Math.min(state.step, Math.max(0, data.count - 1));
  state.growth.goto(state.step);
  state.moved = true;
  state.hover = null;
  state.chosen = chosen ? again(before, data, chosen) : null;
  document.title = data.title;
  growing.set(data);
  filled.clear();
  near.forEach(fillSection);
  fillLater();
  emit("data");
}

/* What was chosen, in new data: tasks by name, layers by id, children by their place in time. */
function again(before, data, at) {
  if (at.kind === "task") {
    const task = data.tasks.findIndex((one) => one.name === before.tasks[at.task].name);
    return task < 0 ? null : { kind: "task", task };
  }
  if (at.kind === "layer") {
    const id = before.layers.id[at.layer],
      layer = id ? data.layers.id.indexOf(id) : -1;
    return layer < 0 ? null : { kind: "layer", layer };
  }
  return at.step < data.count ? at : null;
}

function contents() {
  const list = $("#contents"),
    links = new Map();
  for (const section of document.querySelectorAll("section[data-name]")) {
    const link = h("a", { href: `#${section.id}` }, section.dataset.name);
    links.set(section, link);
    list.append(h("li", {}, link));
  }
  const coming = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        if (!SECTIONS[target.id]) continue;
        if (isIntersecting) near.add(target.id);
        else near.delete(target.id);
        if (isIntersecting && !filled.has(target.id)) fillSection(target.id);
      }
    },
    { rootMargin: "900px 0px" },
  );
  const middle = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        const link = links.get(target);
        if (!link) continue;
        if (!isIntersecting) {
          link.removeAttribute("aria-current");
          continue;
        }
        link.setAttribute("aria-current", "true");
        const room = list.parentElement;
        room.scrollTo({ left: link.offsetLeft - room.offsetLeft - room.clientWidth / 2 + link.offsetWidth / 2 });
      }
    },
    { rootMargin: "-45% 0px -54% 0px" },
  );
  document.querySelectorAll("main > section").forEach((section) => {
    coming.observe(section);
    middle.observe(section);
  });
  // Printing and jumping to a section need all of them.
  addEventListener("beforeprint", fillMissing);
  list.addEventListener("click", fillMissing);
}

function start() {
  startTheme($("#theme"));
  growing = new Growing($("#network [data-body]"));
  update(JSON.parse($("#payload").textContent));
  fillSection("summary");
  contents();
  on("theme", () => {
    repaintCharts();
    for (const id of ["summary", "tasks", "rejected", "costs"]) if (filled.has(id)) fillSection(id);
  });
  on("choice", () => repaintCharts(true));
  addEventListener("scroll", tip.hide, { passive: true });
  addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      tip.hide();
      if (state.chosen) choose(null);
    }
  });
}

window.munet = { update, state, goto, choose };
start();
