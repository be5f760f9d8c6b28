// The time that all parts of the page show. A video that plays is the clock; without one, the page's own is.

const PATIENCE = 1; // seconds for which a paused video is waited for
const LONG = 0.5; // seconds that a video is behind the page, in a part that is left out

export class Player extends EventTarget {
  time = 0;
  playing = false;
  speed = 1;
  #last = 0;
  #video = null;
  #wanted = null;
  #waited = 0;

  /**
   * @param duration Seconds.
   * @param frameLength Seconds of a usual frame.
   * @param pauses Long pauses that the page shortens: when each begins, and the seconds that are left out.
   */
  constructor(duration, frameLength, pauses = []) {
    super();
    this.duration = duration;
    this.frameLength = frameLength;
    this.pauses = pauses;
  }

  /**
   * Use a <video>.
   *
   * @param offset Its time when the page's time is 0.
   * @param whole Whether it has the pauses in full length.
   */
  attach(video, offset, whole) {
    this.#video = { element: video, offset, pauses: whole ? this.pauses : [] };
    video.addEventListener("seeked", () => this.#followSeek());
    this.seek(this.time);
  }

  /** The <video>, if it can be played. */
  get #clock() {
    const video = this.#video?.element;
    return video && !video.error && video.readyState > 0 ? video : null;
  }

  play() {
    if (this.time >= this.duration - 1e-3) this.seek(0);
    this.playing = true;
    this.#waited = 0;
    this.#last = performance.now();
    this.#startVideo();
    this.#changed();
  }

  pause() {
    this.playing = false;
    this.#video?.element.pause();
    this.#changed();
  }

  toggle() {
    if (this.playing) this.pause();
    else this.play();
  }

  setSpeed(speed) {
    this.speed = speed;
    if (this.#video) this.#video.element.playbackRate = speed;
    this.#changed();
  }

  seek(time) {
    this.time = Math.min(Math.max(time, 0), this.duration);
    const video = this.#clock;
    if (video) {
      // a fifth of a frame later, so that rounding does not give the frame before
      this.#wanted = this.#toVideo(this.time) + 0.2 * this.frameLength;
      if (!video.seeking) this.#followSeek();
    }
    this.dispatchEvent(new Event("seek"));
  }

  /** Move on to the time of this moment; call it before every picture. */
  tick(now) {
    if (!this.playing) return;
    const passed = (now - this.#last) / 1000;
    this.#last = now;
    const video = this.#clock;
    if (video && !video.paused && !video.ended && !video.seeking) {
      this.time = this.#fromVideo(video.currentTime);
      this.#waited = 0;
      this.#leaveOutPause(video);
    } else if (!video || video.ended) {
      this.time += passed * this.speed;
    } else if (video.paused) {
      // The browser broke off its start, or paused it: start it again, and go on without it if it stays paused.
      this.#waited += passed;
      if (this.#waited < PATIENCE) this.#startVideo();
      else this.time += passed * this.speed;
    }
    if (this.time >= this.duration) {
      this.time = this.duration;
      this.pause();
    }
  }

  #toVideo(time) {
    const passed = this.#video.pauses.filter(([begins]) => begins < time);
    return time + this.#video.offset + passed.reduce((sum, [, leftOut]) => sum + leftOut, 0);
  }

  /** Let the video jump over the part of a pause that the page leaves out. */
  #leaveOutPause(video) {
    const target = this.#toVideo(this.time);
    const { seekable } = video;
    const last = seekable.length ? seekable.end(seekable.length - 1) : 0;
    if (target - video.currentTime > LONG && target <= last) video.currentTime = target;
  }

  /** Within the part of a pause that the page leaves out, the page's time stands still. */
  #fromVideo(time) {
    let left = time - this.#video.offset;
    for (const [begins, leftOut] of this.#video.pauses) {
      if (left > begins) left = Math.max(begins + 1e-3, left - leftOut);
    }
    return Math.max(left, 0);
  }

  #startVideo() {
    const video = this.#clock;
    if (!video) return;
    video.playbackRate = this.speed;
    video.play().catch(() => {}); // a video that cannot play is not used as the clock
  }

  /** Seek to what was asked for last. A video seeks one position at a time. */
  #followSeek() {
    if (this.#wanted === null) return;
    this.#video.element.currentTime = this.#wanted;
    this.#wanted = null;
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
