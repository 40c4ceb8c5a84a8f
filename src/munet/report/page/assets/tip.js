/* The one tooltip. What it says stands in the details beside the picture too; this is for the pointer only. */

const tip = {
  show(x, y, title, lines) {
    const box = $("#tip");
    clear(box).append(h("b", {}, title), ...lines.filter(Boolean).map((line) => h("span", {}, line)));
    box.hidden = false;
    const { width, height } = box.getBoundingClientRect();
    const left = x + 16 + width > innerWidth - 8 ? x - 16 - width : x + 16;
    box.style.left = `${Math.max(8, Math.min(innerWidth - width - 8, left))}px`;
    box.style.top = `${Math.max(8, Math.min(innerHeight - height - 8, y + 18 + height > innerHeight ? y - height - 12 : y + 18))}px`;
  },
  hide() {
    $("#tip").hidden = true;
  },
};

/* Says `text()` while the pointer is over an element of a chart; `title` is for those who hear it. */
function mark(node, title, lines = []) {
  node.classList.add("mark");
  node.addEventListener("pointermove", (event) => tip.show(event.clientX, event.clientY, title, lines));
  node.addEventListener("pointerleave", tip.hide);
  return node;
}
