/* The sections of the page after the network, from top to bottom. A new one is a module and a line here. */

import { about } from "./sections/about.js";
import { costs } from "./sections/costs.js";
import { flow } from "./sections/flow.js";
import { images } from "./sections/images.js";
import { kept } from "./sections/kept.js";
import { learning } from "./sections/learning.js";
import { mutations } from "./sections/mutations.js";
import { progress } from "./sections/progress.js";
import { rejected } from "./sections/rejected.js";
import { settings } from "./sections/settings.js";
import { sharing } from "./sections/sharing.js";
import { tasks } from "./sections/tasks.js";
import { ways } from "./sections/ways.js";

/** @type {Section[]} */
export const SECTIONS = [
  tasks,
  images,
  sharing,
  flow,
  kept,
  ways,
  progress,
  learning,
  settings,
  mutations,
  rejected,
  costs,
  about,
];
