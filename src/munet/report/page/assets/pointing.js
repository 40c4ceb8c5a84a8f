/* Pointing at the network with mouse, finger and keys: what is there, and what follows. */

class Pointing {
  listen() {
    const { canvas } = this;
    const fingers = new Map();
    let pressed = null;
    const place = (event) => {
      const box = canvas.getBoundingClientRect();
      return [event.clientX - box.left, event.clientY - box.top];
    };
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
    canvas.addEventListener("pointerleave", () => {
      if (!pressed) {
        hover(null);
        tip.hide();
      }
    });
    canvas.addEventListener(
      "wheel",
      (event) => {
        // A plain wheel scrolls the page; with Ctrl (what a pinch on a touchpad sends) it zooms, sideways it pans.
        if (event.ctrlKey) {
          event.preventDefault();
          this.zoomBy(Math.exp(-event.deltaY / 150), place(event)[0]);
        } else if (Math.abs(event.deltaX) > Math.abs(event.deltaY) && this.zoom > 1) {
          event.preventDefault();
          this.pan += event.deltaX;
          this.clamp();
          this.ask();
        }
      },
      { passive: false },
    );
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
    const pick = (wanted) => {
      state.chosen = null;
      choose(wanted);
    };
    const acts = {
      ArrowRight: () => pick({ kind: "task", task: (this.keyTask = grown[Math.min(grown.length - 1, place + 1)]) }),
      ArrowLeft: () => pick({ kind: "task", task: (this.keyTask = grown[Math.max(0, place - 1)]) }),
      ArrowUp: () => slots.length && pick({ kind: "layer", layer: layers[slots[Math.min(slots.length - 1, row + 1)]] }),
      ArrowDown: () => slots.length && row > 0 && pick({ kind: "layer", layer: layers[slots[row - 1]] }),
      Escape: () => pick(null),
      "+": () => this.zoomBy(1.6),
      "=": () => this.zoomBy(1.6),
      "-": () => this.zoomBy(1 / 1.6),
      0: () => this.fit(),
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
        if (Math.abs(x - this.x(box.x)) <= Math.max((box.width * step) / 2, 4))
          return { kind: "layer", layer: box.layer };
      }
    }
    return this.nearestLine(x, y);
  }

  nearestLine(x, y) {
    let best = null,
      distance = 7;
    const above = this.y.findIndex((row) => row < y); // the first row above the point
    for (const task of this.data.order) {
      if (state.growth.paths[task] < 0) continue;
      const column = this.data.column[task];
      const low =
        above > 0
          ? this.scene.ports[above - 1][task]
          : above === 0
            ? column
            : this.scene.ports[this.y.length - 1][task];
      const high = above >= 0 ? this.scene.ports[above][task] : column;
      const from = above > 0 ? this.y[above - 1] - this.box / 2 : above === 0 ? this.foot : this.y[this.y.length - 1];
      const to = above >= 0 ? this.y[above] + this.box / 2 : this.top - 8;
      const t = Math.max(0, Math.min(1, (from - y) / (from - to || 1)));
      const eased = t < 0.5 ? 4 * t ** 3 : 1 - (2 - 2 * t) ** 3 / 2;
      const off = Math.abs(x - this.x(low + (high - low) * eased));
      if (off < distance) {
        distance = off;
        best = { kind: "task", task };
      }
    }
    return best;
  }
}

const apart = (fingers) => {
  const [a, b] = [...fingers.values()];
  return b ? Math.hypot(a[0] - b[0], a[1] - b[1]) : 0;
};
