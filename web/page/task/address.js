/* The address of a task's page within the page. */

const BEGINS = "#task=";

/** @param {Task} task */
export const addressOf = (task) => BEGINS + encodeURIComponent(task.name);

/**
 * Number of the task whose page an address names; -1 where it names none.
 * @param {Data} data
 * @param {string} hash
 */
export function taskAt(data, hash) {
  if (!hash.startsWith(BEGINS)) return -1;
  try {
    const name = decodeURIComponent(hash.slice(BEGINS.length));
    return data.tasks.findIndex((task) => task.name === name);
  } catch {
    return -1; // not an address that was made here
  }
}
