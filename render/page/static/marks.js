// What is unusual: damaged frames and long pauses, said on the picture; and what the colours mean.

/** Return what the colours mean: "left" and "right", and what else this motion and video have. */
export function legend(sources, damaged) {
  const tracks = sources.flatMap((source) => source.tracks);
  return [
    ...(damaged.length ? ["damaged"] : []),
    "left",
    "right",
    ...(tracks.some(({ filled }) => filled.includes(1)) ? ["interpolated"] : []),
    ...(tracks.some(({ confidence }) => confidence.includes(0)) ? ["not seen"] : []),
  ];
}

export class Marks {
  /**
   * @param element Says what is unusual at the moment; it is hidden if nothing is.
   * @param damaged The numbers of the source's frames that are damaged.
   * @param pauses See `Player`.
   */
  constructor(element, source, damaged, pauses) {
    Object.assign(this, { element, source, pauses, damaged: new Set(damaged) });
  }

  /** Show what is unusual at a time. */
  update(time) {
    const frame = this.source.frameAt(time);
    const isDamaged = this.damaged.has(frame);
    const words = isDamaged ? ["damaged frame"] : [];
    const begins = this.source.time[frame];
    const pause = this.pauses.find(([start]) => Math.abs(start - begins) < 1e-6);
    if (pause && time > begins + this.source.frameLength) words.push(`pause, ${duration(pause[1])} left out`);
    const text = words.join(" · ");
    if (this.element.textContent === text) return;
    this.element.textContent = text;
    this.element.hidden = !text;
    document.body.classList.toggle("damaged", isDamaged);
  }
}

function duration(seconds) {
  if (seconds >= 5400) return `${(seconds / 3600).toFixed(1)} hours`;
  if (seconds >= 90) return `${Math.round(seconds / 60)} minutes`;
  return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
}
