/* Numbers as text, the same way everywhere. */

const NOTHING = "–";
const known = (value) => value !== null && value !== undefined && Number.isFinite(value);
/* null counts as 0 in JavaScript's arithmetic; what is not known must stay so. */
const difference = (a, b) => (known(a) && known(b) ? a - b : NaN);
const grouped = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const count = (value) => (known(value) ? grouped.format(value) : NOTHING);
const percent = (value, digits = 2) => (known(value) ? (100 * value).toFixed(digits) : NOTHING);
const counted = (value, noun) => {
  const ending = value === 1 ? "" : noun.endsWith("s") ? "es" : "s";
  return `${count(value)} ${noun === "child" && value !== 1 ? "children" : noun + ending}`;
};

const SIZES = [
  [1e18, "E"],
  [1e15, "P"],
  [1e12, "T"],
  [1e9, "G"],
  [1e6, "M"],
  [1e3, "k"],
];

/* 1485706 -> "1.49 M": three digits that count. */
function compact(value, unit = "") {
  if (!known(value)) return NOTHING;
  for (const [limit, sign] of SIZES) {
    if (Math.abs(value) >= 0.9995 * limit) return `${digits(value / limit)} ${sign}${unit}`;
  }
  return `${digits(value)}${unit ? ` ${unit}` : ""}`;
}
const digits = (value) =>
  Math.abs(value) >= 99.95 || Number.isInteger(value)
    ? value.toFixed(0)
    : Math.abs(value) >= 9.995
      ? value.toFixed(1)
      : value.toFixed(2);
const flops = (value) => compact(value, "FLOP");

function duration(seconds) {
  if (!known(seconds)) return NOTHING;
  if (seconds === 0) return "0";
  if (seconds < 99.5) return `${digits(seconds)} s`;
  if (seconds < 99.5 * 60) return `${digits(seconds / 60)} min`;
  if (seconds < 96 * 3600) return `${digits(seconds / 3600)} h`;
  return `${digits(seconds / 86400)} days`;
}

/* "a, b and c" of nodes or texts. */
function listed(parts) {
  return parts.flatMap((part, n) => (n === 0 ? [part] : [n === parts.length - 1 ? " and " : ", ", part]));
}

/* Round values that divide [low, high] into about `wanted` parts. */
function ticks(low, high, wanted) {
  const raw = (high - low || 1) / Math.max(1, wanted);
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((m) => m * power).find((m) => m >= raw * 0.999);
  const found = [];
  for (let n = Math.ceil(low / step - 1e-9); n * step <= high + step * 1e-9; n++)
    found.push(+(n * step).toPrecision(12));
  return found;
}

/* The same for seconds, in minutes, hours or days. */
function timeTicks(low, high, wanted) {
  const unit = [86400, 3600, 60, 1].find((size) => high - low > 1.5 * size) ?? 1;
  return ticks(low / unit, high / unit, wanted).map((value) => value * unit);
}

/* The beginning and the end of a text, so that it fits: names often differ in their last letters. */
function shortened(text, room, measure) {
  if (measure(text) <= room) return text;
  const letters = [...text];
  for (let keep = letters.length - 1; keep > 1; keep--) {
    const tail = Math.floor(keep / 3);
    const cut = letters.slice(0, keep - tail).join("") + "…" + (tail ? letters.slice(-tail).join("") : "");
    if (measure(cut) <= room) return cut;
  }
  return "…";
}
