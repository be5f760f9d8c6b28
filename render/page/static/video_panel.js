// The video, and the keypoints of people over it.

import { colour, mixed, personColour } from "videopose/theme.js";

const DOUBTFUL = 0.1; // keypoints that score less are not drawn
const CONFIDENT = 0.3; // keypoints that score less are drawn thin
const WHITE = "#ffffff";
const PALE = 0.55; // how much white is in the limbs of people whose keypoints were interpolated
const RIM = 0.35; // how much of their own colour is in their outlines

export class VideoPanel {
  /**
   * @param video The <video>. @param canvas The <canvas> over it.
   * @param source The motion whose keypoints are drawn. @param limbs Pairs of keypoints, and the side of each.
   */
  constructor(video, canvas, source, limbs) {
    Object.assign(this, { video, canvas, source, limbs });
    this.context = canvas.getContext("2d");
    this.drawn = ""; // what the canvas shows
  }

  /** Draw the keypoints of the visible people at a time; none if `shown` is false. */
  draw(time, shown) {
    const { canvas, context, source } = this;
    const { width, height } = canvas.getBoundingClientRect();
    const ratio = Math.min(devicePixelRatio, 2);
    const people = [];
    for (const track of shown ? source.tracks : []) {
      const row = track.visible && track.keypoints ? track.rowAt(time, source.frameLength) : -1;
      if (row >= 0) people.push([track, row]);
    }
    const rows = people.map(([track, row]) => `${track.index}:${row}`);
    const wanted = [width, height, ratio, colour("left"), ...rows].join(" ");
    if (wanted === this.drawn) return;
    this.drawn = wanted;
    canvas.width = Math.round(width * ratio); // this also clears it
    canvas.height = Math.round(height * ratio);
    if (!people.length || !width) return;
    const scale = Math.min(canvas.width / source.size[0], canvas.height / source.size[1]);
    context.translate(
      (canvas.width - scale * source.size[0]) / 2,
      (canvas.height - scale * source.size[1]) / 2,
    );
    context.scale(scale, scale);
    context.lineCap = "round";
    for (const [track, row] of people) this.#drawPerson(track, row, ratio / scale);
  }

  #drawPerson(track, row, pixel) {
    const { context, limbs } = this;
    const count = track.scores.length / track.frames.length;
    const score = (joint) => track.scores[row * count + joint] / 255;
    const at = (joint, axis) => track.keypoints[(row * count + joint) * 2 + axis] / 4;
    const own = personColour(track.index);
    const [pale, rim] = track.filled[row] ? [PALE, mixed(WHITE, own, RIM)] : [0, WHITE];
    for (const [from, to, side] of limbs) {
      const worst = Math.min(score(from), score(to));
      if (worst < DOUBTFUL) continue;
      const thick = (worst < CONFIDENT ? 1.2 : 2.6) * pixel;
      context.beginPath();
      context.moveTo(at(from, 0), at(from, 1));
      context.lineTo(at(to, 0), at(to, 1));
      context.strokeStyle = rim;
      context.lineWidth = thick + 1.6 * pixel;
      context.stroke();
      context.strokeStyle = mixed(side ? colour(side) : own, WHITE, pale);
      context.lineWidth = thick;
      context.stroke();
    }
  }
}
