/* The bar at the top: a link to each section, marked where the reader is. */

import { $, h } from "./base/dom.js";

/**
 * Makes the links and watches the sections. `comes` is told of each section that comes near the window or leaves it.
 * @param {(id: string, isNear: boolean) => void} comes
 */
export function contents(comes) {
  const list = $("#contents"),
    links = new Map();
  for (const section of document.querySelectorAll("section[data-name]")) {
    const link = h("a", { href: `#${section.id}` }, section.getAttribute("data-name"));
    links.set(section, link);
    list.append(h("li", {}, link));
  }
  const coming = new IntersectionObserver(
    (entries) => entries.forEach(({ target, isIntersecting }) => comes(target.id, isIntersecting)),
    { rootMargin: "900px 0px" },
  );
  const middle = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        const link = links.get(target);
        if (!link) continue;
        if (isIntersecting) bringIntoView(link);
        if (isIntersecting) link.setAttribute("aria-current", "true");
        else link.removeAttribute("aria-current");
      }
    },
    { rootMargin: "-45% 0px -54% 0px" },
  );
  document.querySelectorAll("main > section").forEach((section) => {
    coming.observe(section);
    middle.observe(section);
  });
}

/**
 * Along the bar, which is wider than a phone.
 * @param {HTMLElement} link
 */
function bringIntoView(link) {
  const room = $("header nav");
  room.scrollTo({ left: link.offsetLeft - room.offsetLeft - room.clientWidth / 2 + link.offsetWidth / 2 });
}
