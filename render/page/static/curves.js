// The curve of one joint angle of one person, left and right, under the time line.

import { colour } from "videopose/theme.js";

const MISSING = -32768; // what stands for "no angle here"
const UNSEEN = 0.3; // opacity of a curve where the picture does not show the joints
const UNIT = 0.1; // degrees a step of the stored numbers

/** Return the kinds of angles that a track has: "knee_flexion" for knee_flexion_left and _right. */
export function kinds(track) {
  const names = Object.keys(track.angles).map((name) => name.replace(/_(left|right)$/, ""));
  return [...new Set(names)];
}

/** Return the curves of a kind, each with the name of its colour. */
function curvesOf(track, kind) {
  const sides = ["left", "right"].filter((side) => `${kind}_${side}` in track.angles);
  const curve = (side, label, name) => ({ side, label, values: track.angles[name], joints: track.angleJoints[name] });
  if (!sides.length) return [curve("text", "", kind)];
  return sides.map((side) => curve(side, side, `${kind}_${side}`));
}

export class Curves {
  /** Draw into a <canvas>, and write the numbers at the player's time into `readout`. */
  constructor(canvas, readout, player, source) {
    Object.assign(this, { canvas, readout, player, source });
    new ResizeObserver(() => this.draw()).observe(canvas);
  }

  /** Choose the person and the kind of angle. */
  choose(track, kind) {
    this.track = track;
    this.curves = curvesOf(track, kind);
    this.draw();
  }

  draw() {
    const { canvas, player, track, source } = this;
    const ratio = Math.min(devicePixelRatio, 2);
    const { width, height } = canvas.getBoundingClientRect();
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    if (!track || !width || !height) return;
    const context = canvas.getContext("2d");
    context.scale(ratio, ratio);
    const [low, high] = range(this.curves);
    const y = (value) => height - 6 - ((value - low) / (high - low)) * (height - 22);
    const x = (time) => (player.duration ? (time / player.duration) * width : 0);
    drawGrid(context, low, high, y, width);
    for (const { side, values, joints } of this.curves) {
      context.strokeStyle = colour(side);
      context.lineWidth = 1.6;
      context.lineJoin = "round";
      const every = Math.max(1, Math.floor(values.length / (width * 4)));
      const passes = [
        [UNSEEN, () => true],
        [1, (row) => track.sees(row, joints)],
      ];
      for (const [opacity, drawn] of passes) {
        context.globalAlpha = opacity;
        context.beginPath();
        let pen = false;
        for (let row = 0; row < values.length; row += every) {
          const known = values[row] !== MISSING && drawn(row);
          if (known) context[pen ? "lineTo" : "moveTo"](x(track.times[row]), y(values[row] * UNIT));
          const step = row + every < values.length ? track.times[row + every] - track.times[row] : 0;
          pen = known && step < (every + 2) * source.frameLength;
        }
        context.stroke();
      }
      context.globalAlpha = 1;
    }
  }

  /** Write the angles at the player's time. */
  update() {
    if (!this.track) return;
    const row = this.track.rowAt(this.player.time, this.source.frameLength);
    const parts = this.curves.map(({ label, values }) => {
      const known = row >= 0 && values[row] !== MISSING;
      return `${label} ${known ? `${(values[row] * UNIT).toFixed(0)}°` : "–"}`.trim();
    });
    const text = parts.join("  ");
    if (this.readout.textContent !== text) this.readout.textContent = text;
  }
}

/** Return the least and the greatest angle, rounded outwards to tens of degrees. */
function range(curves) {
  let low = Infinity;
  let high = -Infinity;
  for (const { values } of curves) {
    for (const value of values) {
      if (value === MISSING) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  if (low > high) return [0, 90];
  return [Math.floor((low * UNIT) / 10) * 10, Math.ceil((high * UNIT + 0.1) / 10) * 10];
}

function drawGrid(context, low, high, y, width) {
  const step = high - low > 180 ? 90 : high - low > 60 ? 30 : 10;
  context.font = "11px system-ui, sans-serif";
  context.lineWidth = 1;
  for (let value = Math.ceil(low / step) * step; value <= high; value += step) {
    context.strokeStyle = colour("border");
    context.beginPath();
    context.moveTo(0, y(value));
    context.lineTo(width, y(value));
    context.stroke();
    context.fillStyle = colour("muted");
    context.fillText(`${value}°`, 2, y(value) - 2);
  }
}
