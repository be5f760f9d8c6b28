// The video, and the keypoints of people over it.

import { colour, personColour } from "videopose/theme.js";

const DOUBTFUL = 0.1; // keypoints that score less are not drawn
const CONFIDENT = 0.3; // keypoints that score less are drawn thin

export class VideoPanel {
  /**
   * @param video The <video>. @param canvas The <canvas> over it.
   * @param source The motion whose keypoints are drawn. @param limbs Pairs of keypoints, and the side of each.
   */
  constructor(video, canvas, source, limbs) {
    Object.assign(this, { video, canvas, source, limbs });
    this.context = canvas.getContext("2d");
  }

  /** Draw the keypoints of the visible people at a time; none if `shown` is false. */
  draw(time, shown) {
    const { canvas, context, source } = this;
    const { width, height } = canvas.getBoundingClientRect();
    const ratio = Math.min(devicePixelRatio, 2);
    canvas.width = Math.round(width * ratio); // this also clears it
    canvas.height = Math.round(height * ratio);
    if (!shown || !width) return;
    const scale = Math.min(canvas.width / source.size[0], canvas.height / source.size[1]);
    context.translate(
      (canvas.width - scale * source.size[0]) / 2,
      (canvas.height - scale * source.size[1]) / 2,
    );
    context.scale(scale, scale);
    context.lineCap = "round";
    for (const track of source.tracks) {
      if (!track.visible || !track.keypoints) continue;
      const row = track.rowAt(time, source.frameLength);
      if (row >= 0) this.#drawPerson(track, row, ratio / scale);
    }
  }

  #drawPerson(track, row, pixel) {
    const { context, limbs } = this;
    const count = track.scores.length / track.frames.length;
    const score = (joint) => track.scores[row * count + joint] / 255;
    const at = (joint, axis) => track.keypoints[(row * count + joint) * 2 + axis] / 4;
    context.globalAlpha = track.filled[row] ? 0.5 : 1;
    for (const [from, to, side] of limbs) {
      const worst = Math.min(score(from), score(to));
      if (worst < DOUBTFUL) continue;
      const thick = (worst < CONFIDENT ? 1.2 : 2.6) * pixel;
      context.beginPath();
      context.moveTo(at(from, 0), at(from, 1));
      context.lineTo(at(to, 0), at(to, 1));
      context.strokeStyle = "#fff";
      context.lineWidth = thick + 1.6 * pixel;
      context.stroke();
      context.strokeStyle = side ? colour(side) : personColour(track.index);
      context.lineWidth = thick;
      context.stroke();
    }
    context.globalAlpha = 1;
  }
}
