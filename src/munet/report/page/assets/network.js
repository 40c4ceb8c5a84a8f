/* The network on a canvas: drawing, pan and zoom along the tasks, pointing with mouse, finger and keys. */

const SMALL_SLOTS = ["cls", "posembed", "adapter", "pool"];
const isSmall = (slot) => SMALL_SLOTS.includes(slot.split(".")[0]);

class NetworkView {
  constructor(host) {
    this.canvas = h("canvas", { class: "network", tabindex: "0", role: "application", "aria-roledescription": "network diagram",
      "aria-keyshortcuts": "ArrowLeft ArrowRight ArrowUp ArrowDown Enter Escape Plus Minus 0" });
    this.now = h("p", { class: "now" });
    const button = (text, label, act) => h("button", { type: "button", "aria-label": label, title: label, onclick: act }, text);
    const zoom = h("div", { class: "zoom" }, button("−", "Zoom out", () => this.zoomBy(1 / 1.6)),
      button("+", "Zoom in", () => this.zoomBy(1.6)), button("Fit", "Show all tasks", () => this.fit()));
    this.nothing = h("p", { class: "nothing" });
    this.zoomers = zoom;
    host.append(h("div", { class: "above" }, this.now, zoom), this.canvas, this.nothing);
    this.ctx = this.canvas.getContext("2d");
    this.zoom = 1;
    this.pan = 0;
    this.coarse = false;
    this.listen();
    new ResizeObserver(() => this.resize()).observe(host);
  }

  set(data, growth) {
    this.data = data;
    this.scene = new Scene(data, growth);
    this.labels = new Map();
    const grown = data.tasks.filter((task) => task.model).length;
    const empty = !data.moments.step.length && data.retained.every((path) => path < 0);
    for (const part of [this.canvas, this.zoomers]) part.hidden = empty;
    this.nothing.hidden = !empty;
    if (empty) clear(this.nothing).append(...beginning(data));
    this.canvas.setAttribute("aria-label", `The network of ${counted(data.tasks.length, "task")}, ${grown} of them with a model. `
      + "Left and right choose a task, up and down a layer of it, plus and minus zoom. What is chosen is described beside it.");
    this.resize();
  }

  resize() {
    const width = this.canvas.parentElement.clientWidth;
    if (!width || !this.data) return;
    const { data } = this;
    this.ratio = this.coarse ? 1 : Math.min(2, devicePixelRatio || 1);
    this.width = width;
    this.left = width < 600 ? 78 : 104;
    this.right = 16;
    const columns = Math.max(1, data.tasks.length);
    this.pitch = Math.min(150, (width - this.left - this.right) / columns);
    this.inset = (width - this.left - this.right - this.pitch * columns) / 2;
    this.measure();
    const sizes = data.rows.map((slot) => (isSmall(data.slots[slot]) ? 0.62 : 1));
    const total = sizes.reduce((a, b) => a + b, 0) || 1;
    const unit = Math.max(15, Math.min(width < 600 ? 46 : 54, (width < 600 ? 400 : 470) / total));
    this.plot = total * unit;
    this.top = this.headRoom + 20;
    this.foot = this.top + this.plot + 16; // lines begin here, upright
    this.height = Math.round(this.foot + this.footRoom + 8);
    this.box = Math.min(21, unit * 0.46);
    let y = this.top + this.plot;
    this.y = sizes.map((size) => { y -= size * unit; return y + size * unit / 2; });
    this.canvas.style.height = `${this.height}px`;
    this.canvas.width = Math.round(width * this.ratio);
    this.canvas.height = Math.round(this.height * this.ratio);
    this.clamp();
    this.ask();
  }

  /* How names and accuracies stand depends on the width of a column: level, slanted or upright. */
  measure() {
    const step = this.pitch * this.zoom;
    this.size = Math.max(8.5, Math.min(13, step < 16 ? step - 1 : 12.5));
    this.ctx.font = `600 ${this.size}px ${theme.sans}`;
    this.level = step > 60 && this.data.tasks.every((task) => folded(this.ctx, task.name, step - 8).every((line) => !line.includes("…")));
    const longest = Math.max(20, ...this.data.tasks.map((task) => this.ctx.measureText(task.name).width));
    const room = this.width < 600 ? 110 : 150;
    this.nameRoom = this.level ? step - 8 : Math.min(longest + 4, room);
    if (this.zoom === 1) {
      this.footRoom = this.level ? 40 : Math.min(longest, room) * (step > 16 ? 0.72 : 1) + 22;
      this.headRoom = step > 36 ? 26 : 42;
    } else if (!this.level) this.nameRoom = Math.min(this.nameRoom, (this.footRoom - 20) / (step > 16 ? 0.72 : 1));
    this.labels?.clear();
  }

  x(column) { return this.left + this.inset + (column + 0.5) * this.pitch * this.zoom - this.pan; }

  clamp() {
    const whole = this.pitch * this.data.tasks.length * this.zoom;
    const room = this.width - this.left - this.right;
    this.pan = Math.max(0, Math.min(this.pan, whole - room + 2 * this.inset));
    if (whole + 2 * this.inset <= room) this.pan = 0;
  }

  zoomBy(factor, at = this.left + (this.width - this.left) / 2) {
    const most = Math.max(1, 170 / this.pitch);
    const zoom = Math.max(1, Math.min(most, this.zoom * factor));
    const place = (at - this.left - this.inset + this.pan) / this.zoom;
    this.zoom = zoom;
    this.pan = place * zoom - (at - this.left - this.inset);
    this.clamp();
    this.measure();
    this.ask();
  }

  fit() { this.zoom = 1; this.pan = 0; this.measure(); this.ask(); }

  /* Brings a task into view. */
  reveal(task) {
    if (this.zoom === 1) return;
    const x = this.x(this.data.column[task]);
    if (x < this.left + 20 || x > this.width - 40) { this.pan += x - (this.left + this.width) / 2; this.clamp(); }
    this.ask();
  }

  ask() {
    if (this.asked) return;
    this.asked = requestAnimationFrame((time) => { this.asked = 0; this.frame(time); });
  }

  frame(time) {
    if (!this.data) return;
    const passed = Math.min(100, time - (this.last ?? time - 16));
    this.last = time;
    if (this.scene.glide(1 - Math.exp(-passed / 90))) this.ask(); else this.last = undefined;
    drawNetwork(this);
  }

  /* Fewer pixels while it plays, where a machine would show too few frames else. */
  soften(coarse) {
    if (this.coarse === coarse || this.ratio === 1 && coarse) return;
    this.coarse = coarse;
    this.resize();
  }

  /* After the step changed. */
  move(glide) {
    if (state.moved) this.scene.arrange(glide);
    this.ask();
  }

  listen() {
    const { canvas } = this;
    const fingers = new Map();
    let pressed = null;
    const place = (event) => { const box = canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
    canvas.addEventListener("pointerdown", (event) => {
      fingers.set(event.pointerId, place(event));
      pressed = { at: place(event), pan: this.pan, moved: false, apart: apart(fingers) };
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      const [x, y] = place(event);
      if (!pressed) return this.point(x, y, event);
      fingers.set(event.pointerId, [x, y]);
      if (fingers.size === 2) {
        const now = apart(fingers);
        const middle = [...fingers.values()].reduce((sum, [fx]) => sum + fx / 2, 0);
        if (pressed.apart > 8) this.zoomBy(now / pressed.apart, middle);
        pressed.apart = now;
        pressed.moved = true;
        return undefined;
      }
      if (Math.abs(x - pressed.at[0]) > 4) pressed.moved = true;
      if (pressed.moved) {
        canvas.classList.add("drag");
        tip.hide();
        this.pan = pressed.pan - (x - pressed.at[0]);
        this.clamp();
        this.ask();
      }
      return undefined;
    });
    const release = (event) => {
      fingers.delete(event.pointerId);
      if (pressed && !pressed.moved && event.type === "pointerup") choose(this.hit(...place(event)));
      pressed = null;
      canvas.classList.remove("drag");
    };
    canvas.addEventListener("pointerup", release);
    canvas.addEventListener("pointercancel", release);
    canvas.addEventListener("pointerleave", () => { if (!pressed) { hover(null); tip.hide(); } });
    canvas.addEventListener("wheel", (event) => {
      // A plain wheel scrolls the page; with Ctrl (what a pinch on a touchpad sends) it zooms, sideways it pans.
      if (event.ctrlKey) { event.preventDefault(); this.zoomBy(Math.exp(-event.deltaY / 150), place(event)[0]); }
      else if (Math.abs(event.deltaX) > Math.abs(event.deltaY) && this.zoom > 1) {
        event.preventDefault();
        this.pan += event.deltaX;
        this.clamp();
        this.ask();
      }
    }, { passive: false });
    canvas.addEventListener("keydown", (event) => this.key(event));
  }

  point(x, y, event) {
    const found = this.hit(x, y);
    this.canvas.classList.toggle("over", Boolean(found));
    hover(found);
    if (!found) return tip.hide();
    const told = describe(this.data, state.growth, found);
    return tip.show(event.clientX, event.clientY, told.title, told.lines);
  }

  key(event) {
    const { data } = this;
    const at = state.chosen;
    const grown = data.order.filter((task) => state.growth.paths[task] >= 0);
    const task = at?.kind === "task" ? at.task : this.keyTask;
    const place = grown.indexOf(task);
    const layers = state.growth.layers(task);
    const slots = layers ? data.rows.filter((slot) => layers[slot] >= 0) : [];
    const row = at?.kind === "layer" ? slots.indexOf(data.layers.slot[at.layer]) : -1;
    const pick = (wanted) => { state.chosen = null; choose(wanted); };
    const acts = {
      ArrowRight: () => pick({ kind: "task", task: (this.keyTask = grown[Math.min(grown.length - 1, place + 1)]) }),
      ArrowLeft: () => pick({ kind: "task", task: (this.keyTask = grown[Math.max(0, place - 1)]) }),
      ArrowUp: () => slots.length && pick({ kind: "layer", layer: layers[slots[Math.min(slots.length - 1, row + 1)]] }),
      ArrowDown: () => slots.length && row > 0 && pick({ kind: "layer", layer: layers[slots[row - 1]] }),
      Escape: () => pick(null),
      "+": () => this.zoomBy(1.6), "=": () => this.zoomBy(1.6), "-": () => this.zoomBy(1 / 1.6), 0: () => this.fit(),
    };
    if (!acts[event.key] || event.ctrlKey || event.metaKey || !grown.length) return;
    event.preventDefault();
    event.stopPropagation();
    acts[event.key]();
    if (this.keyTask !== undefined) this.reveal(this.keyTask);
  }

  /* The task or layer under a point of the canvas. */
  hit(x, y) {
    if (!this.data || x < this.left - 4) return null;
    const column = Math.round((x - this.left - this.inset + this.pan) / (this.pitch * this.zoom) - 0.5);
    if (y > this.foot || y < this.y[this.y.length - 1] - this.box) {
      const task = this.data.order[column];
      return task === undefined ? null : { kind: "task", task };
    }
    const step = this.pitch * this.zoom;
    for (let row = 0; row < this.y.length; row++) {
      if (Math.abs(y - this.y[row]) > this.box * 0.7) continue;
      for (const box of this.scene.boxes[row]) {
        if (Math.abs(x - this.x(box.x)) <= Math.max(box.width * step / 2, 4)) return { kind: "layer", layer: box.layer };
      }
    }
    return this.nearestLine(x, y);
  }

  nearestLine(x, y) {
    let best = null, distance = 7;
    const above = this.y.findIndex((row) => row < y); // the first row above the point
    for (const task of this.data.order) {
      if (state.growth.paths[task] < 0) continue;
      const column = this.data.column[task];
      const low = above > 0 ? this.scene.ports[above - 1][task] : above === 0 ? column : this.scene.ports[this.y.length - 1][task];
      const high = above >= 0 ? this.scene.ports[above][task] : column;
      const from = above > 0 ? this.y[above - 1] - this.box / 2 : above === 0 ? this.foot : this.y[this.y.length - 1];
      const to = above >= 0 ? this.y[above] + this.box / 2 : this.top - 8;
      const t = Math.max(0, Math.min(1, (from - y) / (from - to || 1)));
      const eased = t < 0.5 ? 4 * t ** 3 : 1 - (2 - 2 * t) ** 3 / 2;
      const off = Math.abs(x - this.x(low + (high - low) * eased));
      if (off < distance) { distance = off; best = { kind: "task", task }; }
    }
    return best;
  }
}

/* What there is before any task has a model. */
function beginning(data) {
  const root = data.layersOf(0);
  const layers = root ? [...root].filter((layer) => layer >= 0) : [];
  const size = layers.reduce((sum, layer) => sum + (data.layers.parameters[layer] || 0), 0);
  return ["So far there is the root, ", bdi(data.root.source), layers.length ? `: ${counted(layers.length, "layer")}, ${count(size)} parameters.` : ".",
    data.tasks.length ? [" Waiting: ", listed(data.tasks.map((task) => bdi(task.name))), "."] : ""].flat(2);
}

const apart = (fingers) => {
  const [a, b] = [...fingers.values()];
  return b ? Math.hypot(a[0] - b[0], a[1] - b[1]) : 0;
};
