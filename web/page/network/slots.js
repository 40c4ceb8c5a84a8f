/* Slots that are drawn as flat boxes. */

const SMALL_SLOTS = ["cls", "posembed", "adapter", "pool"];

/** @param {string} slot */
export const isSmall = (slot) => SMALL_SLOTS.includes(slot.split(".")[0]);
