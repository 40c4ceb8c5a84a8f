/* Printing: what was drawn for the window is drawn anew for paper, whose width no script is told, and back again. */

import { repaintCharts } from "./charts/chart.js";

/* Where the class `paper` is set the page is as wide as A4 between its margins (print.css), also in the window: so
   everything is measured and drawn before the printed pages are laid out. */

/**
 * @param {() => void} fill fills the sections that are empty yet
 * @param {() => void} redraw draws the network and time for the width they have
 */
export function readyForPaper(fill, redraw) {
  const turn = (/** @type {boolean} */ on) => {
    document.documentElement.classList.toggle("paper", on);
    if (on) fill();
    redraw();
    repaintCharts();
  };
  addEventListener("beforeprint", () => turn(true));
  addEventListener("afterprint", () => turn(false));
}
