// Trails: where hands and feet were in the last seconds.

import * as THREE from "three";

const SECONDS = 1.5;
const ENDS = ["lwrist", "rwrist", "lfoot", "rfoot"];
const MOST = 400; // points of one trail

export class Trails extends THREE.LineSegments {
  constructor(skeleton) {
    const ends = ENDS.map((name) => skeleton.names.indexOf(name)).filter((joint) => joint >= 0);
    const geometry = new THREE.BufferGeometry();
    const floats = ends.length * MOST * 2 * 3;
    for (const name of ["position", "color"]) {
      const attribute = new THREE.BufferAttribute(new Float32Array(floats), 3);
      geometry.setAttribute(name, attribute.setUsage(THREE.DynamicDrawUsage));
    }
    super(geometry, new THREE.LineBasicMaterial({ vertexColors: true }));
    this.ends = ends;
    this.skeleton = skeleton;
    this.frustumCulled = false;
  }

  setColours({ left, right, person, floor }) {
    this.colours = { left: new THREE.Color(left), right: new THREE.Color(right), person: new THREE.Color(person) };
    this.background = new THREE.Color(floor);
  }

  /** Show the way up to a time; `track` has `times`, `joints` and `gapAfter`, `row` is its row at that time. */
  show(track, row, time) {
    const position = this.geometry.getAttribute("position");
    const colours = this.geometry.getAttribute("color");
    const size = track.jointCount * 3;
    let at = 0;
    for (const joint of this.ends) {
      const own = this.skeleton.left.includes(joint) ? this.colours.left : this.colours.right;
      for (let i = row; i > 0 && row - i < MOST && time - track.times[i - 1] < SECONDS; i--) {
        if (track.gapAfter[i - 1]) break;
        for (const each of [i, i - 1]) {
          const start = each * size + joint * 3;
          position.setXYZ(at, track.joints[start], track.joints[start + 1], track.joints[start + 2]);
          faded.copy(own).lerp(this.background, Math.min((time - track.times[each]) / SECONDS, 1));
          colours.setXYZ(at++, faded.r, faded.g, faded.b);
        }
      }
    }
    this.geometry.setDrawRange(0, at);
    position.needsUpdate = true;
    colours.needsUpdate = true;
  }
}

const faded = new THREE.Color();
