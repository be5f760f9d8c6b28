// Draw while something changes, and rest while nothing does.

const PICTURES = 60; // that are drawn after the user did something, so that a turn can come to rest
const USER = ["pointerdown", "pointermove", "wheel", "keydown", "click", "input", "resize"];

export class Redraw {
  #left = PICTURES;

  /**
   * @param draw Draws a picture; it gets the time of `requestAnimationFrame`.
   * @param moving Tells whether the next picture is another one in any case.
   */
  constructor(draw, moving = () => false) {
    Object.assign(this, { draw, moving });
    for (const happens of USER) addEventListener(happens, this.wake, { capture: true, passive: true });
    requestAnimationFrame(this.#next);
  }

  /** Draw for a while: something may have changed. */
  wake = () => {
    this.#left = PICTURES;
  };

  /** Draw one picture at least. */
  once() {
    this.#left = Math.max(this.#left, 1);
  }

  #next = (now) => {
    if (this.#left > 0 || this.moving()) {
      this.#left--;
      this.draw(now);
    }
    requestAnimationFrame(this.#next);
  };
}
