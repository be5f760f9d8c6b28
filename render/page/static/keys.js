// Keyboard keys.

/** Call `actions[key](event)` for a key that is pressed outside of fields that take text. */
export function listenToKeys(actions) {
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const { tagName } = event.target;
    if (tagName === "SELECT" || tagName === "TEXTAREA") return;
    if (tagName === "BUTTON" && (event.key === " " || event.key === "Enter")) return; // they press the button
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action(event);
  });
}
