// The motion that Python wrote into the page, as typed arrays.

/** Return the bytes of a base64 text. */
export function decodeBase64(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

const TYPES = { i2: Int16Array, i4: Int32Array, u1: Uint8Array, f4: Float32Array, f8: Float64Array };

function array({ type, data }) {
  return new TYPES[type](decodeBase64(data).buffer);
}

/** Return the last index whose value is not greater than `value`; −1 if there is none. */
export function lastNotAfter(values, value) {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** One person. `joints` are metres in the world; `keypoints` are pixels of the video. */
export class Track {
  constructor(packed, index, time, joints) {
    this.id = packed.id;
    this.index = index;
    this.visible = true;
    this.jointCount = joints;
    this.frames = array(packed.frames);
    this.filled = array(packed.filled);
    this.confidence = array(packed.confidence);
    this.keypoints = packed.keypoints && array(packed.keypoints);
    this.scores = packed.scores && array(packed.scores);
    const stored = array(packed.joints);
    this.joints = new Float32Array(stored.length);
    for (let i = 0; i < stored.length; i++) {
      this.joints[i] = stored[i] * packed.scale + packed.offset[i % 3];
    }
    this.angles = Object.fromEntries(
      Object.entries(packed.angles).map(([name, values]) => [name, array(values)]),
    );
    this.angleJoints = packed.angleJoints;
    this.times = Float64Array.from(this.frames, (frame) => time[frame]);
    this.#markGaps();
    this.now = { joints: new Float32Array(joints * 3), confidence: null, filled: false };
  }

  /** A gap is a step between rows that is longer than one frame of the page. */
  #markGaps() {
    this.gapAfter = new Uint8Array(this.frames.length);
    for (let i = 0; i + 1 < this.frames.length; i++) {
      this.gapAfter[i] = this.frames[i + 1] - this.frames[i] > 1 ? 1 : 0;
    }
  }

  /** Whether the picture shows all of these joints on a row. */
  sees(row, joints) {
    return joints.every((joint) => this.confidence[row * this.jointCount + joint] > 0);
  }

  /** Return the person's row at a time; −1 where there is none. `length` is the seconds of a usual frame. */
  rowAt(time, length) {
    const row = lastNotAfter(this.times, time + 1e-6);
    if (row < 0) return -1;
    const last = row + 1 === this.times.length || this.gapAfter[row];
    return last && time > this.times[row] + length ? -1 : row;
  }

  /** Return the pose at a time, linearly between two rows; null where there is none. */
  poseAt(time, length) {
    const row = this.rowAt(time, length);
    if (row < 0) return null;
    const { joints } = this.now;
    const size = this.jointCount * 3;
    const start = row * size;
    let share = 0;
    if (row + 1 < this.times.length && !this.gapAfter[row]) {
      const step = this.times[row + 1] - this.times[row];
      // over a pause of the video the person stays, and moves at its end
      if (step > 0 && step < 3 * length) share = Math.min(Math.max((time - this.times[row]) / step, 0), 1);
    }
    for (let i = 0; i < size; i++) {
      const value = this.joints[start + i];
      joints[i] = share ? value + share * (this.joints[start + size + i] - value) : value;
    }
    this.now.confidence = this.confidence.subarray(row * this.jointCount, (row + 1) * this.jointCount);
    this.now.filled = this.filled[row] === 1;
    return this.now;
  }
}

/** One motion with its label: a pose table, or the truth. */
export class Source {
  constructor(packed, skeleton) {
    this.label = packed.label;
    this.note = packed.note;
    this.time = array(packed.time);
    this.frameLength = packed.frameLength;
    this.size = packed.size;
    this.intrinsics = packed.intrinsics;
    this.rotations = array(packed.rotations);
    this.positions = array(packed.positions);
    this.tracks = packed.tracks.map(
      (track, index) => new Track(track, index, this.time, skeleton.names.length),
    );
  }

  get duration() {
    return this.time.length ? this.time[this.time.length - 1] : 0;
  }

  /** Return the frame that is shown at a time. */
  frameAt(time) {
    return Math.max(lastNotAfter(this.time, time + 1e-6), 0);
  }

  /** Return the camera that filmed, at a time. Matrices of a camera that stands still are stored once. */
  cameraAt(time) {
    const count = this.positions.length / 3;
    const at = Math.min(this.frameAt(time), count - 1);
    return {
      rotation: this.rotations.subarray(at * 9, at * 9 + 9),
      position: this.positions.subarray(at * 3, at * 3 + 3),
      intrinsics: this.intrinsics,
      size: this.size,
    };
  }
}

/** Return the page's data: the skeletons, and a `Source` for each motion. */
export function unpack(packed) {
  return { ...packed, sources: packed.sources.map((source) => new Source(source, packed.skeleton)) };
}
