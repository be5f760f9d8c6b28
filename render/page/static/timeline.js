// The time line: when each person is there, where the video pauses or is damaged, and the position, to drag.

import { colour, personColour } from "videopose/theme.js";

const ROW = 5; // pixels of a person's bar
const MARK = 3; // pixels of the line above the bars that marks damaged frames
const MOST_ROWS = 8;

/** Return the stretches of time on which a person has rows. */
export function spans(track, frameLength) {
  const found = [];
  let start = 0;
  for (let row = 0; row < track.times.length; row++) {
    const last = row + 1 === track.times.length;
    if (last || track.gapAfter[row]) {
      found.push([track.times[start], track.times[row] + frameLength]);
      start = row + 1;
    }
  }
  return found;
}

export class Timeline {
  /**
   * @param slider An <input type="range"> over @param canvas the bars.
   * @param damaged The numbers of the source's frames that are damaged.
   */
  constructor(slider, canvas, player, source, damaged) {
    Object.assign(this, { slider, canvas, player, source, damaged });
    this.top = damaged.length ? MARK + 2 : 2;
    slider.max = String(player.duration);
    slider.addEventListener("input", () => player.seek(Number(slider.value)));
    new ResizeObserver(() => this.draw()).observe(canvas);
  }

  /** Move the position to the player's time. */
  update() {
    if (this.shown === this.player.time) return;
    this.shown = this.player.time;
    this.slider.value = String(this.player.time);
    this.slider.setAttribute("aria-valuetext", `${this.player.time.toFixed(2)} seconds`);
  }

  /** Draw the bars anew, after the size, the theme or the people have changed. */
  draw() {
    const { canvas, source, player, top } = this;
    const tracks = source.tracks.slice(0, MOST_ROWS);
    const ratio = Math.min(devicePixelRatio, 2);
    const { width } = canvas.getBoundingClientRect();
    const height = Math.max(tracks.length, 1) * (ROW + 2) + top + 2;
    canvas.style.height = `${height}px`;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    const context = canvas.getContext("2d");
    context.scale(ratio, ratio);
    const x = (time) => (player.duration ? (time / player.duration) * width : 0);
    for (const [begins] of player.pauses) {
      const end = source.time.find((time) => time > begins + 1e-6) ?? begins;
      hatch(context, x(begins), x(end) - x(begins), height);
    }
    context.fillStyle = colour("damaged");
    for (const frame of this.damaged) {
      const from = x(source.time[frame]);
      context.fillRect(from, 0, Math.max(x(source.time[frame] + source.frameLength) - from, MARK), MARK);
    }
    tracks.forEach((track, row) => {
      context.fillStyle = personColour(track.index);
      context.globalAlpha = track.visible ? 1 : 0.25;
      for (const [from, to] of spans(track, source.frameLength)) {
        context.fillRect(x(from), top + row * (ROW + 2), Math.max(x(to) - x(from), 1), ROW);
      }
    });
  }
}

/** Fill a stretch with slanted lines. */
function hatch(context, left, width, height) {
  context.save();
  context.beginPath();
  context.rect(left, 0, width, height);
  context.clip();
  context.strokeStyle = colour("muted");
  context.beginPath();
  for (let x = left - height; x < left + width; x += 6) {
    context.moveTo(x, height);
    context.lineTo(x + height, 0);
  }
  context.stroke();
  context.restore();
}
