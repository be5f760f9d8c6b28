// Dark and light: the page follows the system until the user chooses.

const KEY = "videopose-theme";

function stored() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null; // storage may be closed to pages that are opened from a file
  }
}

const system = matchMedia("(prefers-color-scheme: dark)");

function use(theme) {
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
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** The number of colours for people; colours repeat after that many. */
export const PERSON_COLOURS = 5;

/** Return the colour of the person at this index. */
export function personColour(index) {
  return colour(`person-${index % PERSON_COLOURS}`);
}
