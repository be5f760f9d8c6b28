// Dark and light: the page follows the system until the user chooses.

const KEY = "videopose-theme";

function stored() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null; // storage may be closed to pages that are opened from a file
  }
}

const known = new Map(); // colours that were read; reading one costs a look through all styles

const system = matchMedia("(prefers-color-scheme: dark)");

function use(theme) {
  known.clear();
  document.documentElement.dataset.theme = theme;
}

/** Use the stored theme, else the system's. Call `changed` whenever the theme changes. */
export function startTheme(changed) {
  const follow = () => use(stored() ?? (system.matches ? "dark" : "light"));
  follow();
  system.addEventListener("change", () => {
    follow();
    changed();
  });
}

/** Change from dark to light or back, and remember it. */
export function switchTheme(changed) {
  const next = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
  use(next);
  try {
    localStorage.setItem(KEY, next);
  } catch {
    // not remembered
  }
  changed();
}

/** Return a colour that the style sheet defines, such as colour("left"). */
export function colour(name) {
  if (!known.has(name)) {
    known.set(name, getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim());
  }
  return known.get(name);
}

/** Return a colour, "#rrggbb", mixed with a share (0–1) of another. */
export function mixed(one, other, share) {
  const channel = (text, at) => parseInt(text.slice(at, at + 2), 16);
  const parts = [1, 3, 5].map((at) =>
    Math.round(channel(one, at) + share * (channel(other, at) - channel(one, at))),
  );
  return `rgb(${parts.join(" ")})`;
}

/** The number of colours for people; colours repeat after that many. */
export const PERSON_COLOURS = 5;

/** Return the colour of the person at this index. */
export function personColour(index) {
  return colour(`person-${index % PERSON_COLOURS}`);
}
