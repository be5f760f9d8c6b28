// One person in 3D: limbs, joints, a head, and a shadow on the floor.

import * as THREE from "three";

const LIMB = 0.032; // metres: half the thickness of a limb
const JOINT = 0.042;
const HEAD = 0.1;
const NOSE = 0.034;
const PALE_FILLED = 0.6; // how much of the background's colour is mixed in
const PALE_HIDDEN = 0.8;
const UP = new THREE.Vector3(0, 1, 0); // the axis of a cylinder

const sphere = new THREE.SphereGeometry(1, 20, 14);
const cylinder = new THREE.CylinderGeometry(1, 1, 1, 12, 1, true);

/**
 * What a skeleton looks like: the bones that are drawn, and which joints are spheres.
 * The head is a sphere between nose and crown, on a neck; the nose is a small sphere.
 */
function shape(skeleton) {
  const at = (name) => skeleton.names.indexOf(name);
  const [nose, head, thorax] = [at("nose"), at("head"), at("thorax")];
  const bones = skeleton.bones.filter(([child]) => child !== nose && child !== head);
  if (head >= 0) bones.push([head, thorax]);
  const spheres = skeleton.names.map((_, joint) => joint);
  return { bones, spheres, nose, head };
}

export class SkeletonMesh extends THREE.Group {
  /** @param skeleton `names`, `bones` as pairs of indices, `left` and `right` as lists of indices. */
  constructor(skeleton) {
    super();
    this.shape = shape(skeleton);
    this.skeleton = skeleton;
    const { bones, spheres } = this.shape;
    const material = new THREE.MeshLambertMaterial();
    this.limbs = new THREE.InstancedMesh(cylinder, material, bones.length);
    this.knobs = new THREE.InstancedMesh(sphere, material, spheres.length);
    this.shadow = new THREE.Group();
    this.shadowMaterial = new THREE.MeshBasicMaterial({ depthWrite: false });
    for (const mesh of [this.limbs, this.knobs]) {
      mesh.instanceMatrix.setUsage(THREE.DynamicDrawUsage);
      mesh.frustumCulled = false; // its bounds would have to be computed anew for each pose
      const flat = new THREE.InstancedMesh(mesh.geometry, this.shadowMaterial, mesh.count);
      flat.instanceMatrix = mesh.instanceMatrix;
      flat.frustumCulled = false;
      flat.renderOrder = -1;
      this.shadow.add(flat);
      this.add(mesh);
    }
    this.shadow.scale.z = 1e-4;
    this.shadow.position.z = 2e-3;
    this.add(this.shadow);
    this.colours = null;
    this.#key = "";
  }

  #key;

  /** Set the colours: `left`, `right`, `person`, `background`, `shadow`, as CSS colours. */
  setColours(colours) {
    this.colours = Object.fromEntries(
      Object.entries(colours).map(([name, value]) => [name, new THREE.Color(value)]),
    );
    this.shadowMaterial.color = this.colours.shadow;
    this.#key = "";
  }

  /**
   * Show a pose.
   *
   * @param joints Float32Array of x, y, z of each joint: metres, z up.
   * @param confidence How reliable each joint is, 0–255; null if all are.
   * @param filled Whether the keypoints were interpolated.
   */
  setPose(joints, confidence = null, filled = false) {
    const { bones, spheres, nose, head } = this.shape;
    const crown = this.#head(joints);
    const place = (joint, into) =>
      joint === head && crown ? into.copy(crown) : into.fromArray(joints, joint * 3);
    bones.forEach(([child, parent], index) => {
      place(child, from);
      place(parent, to);
      middle.addVectors(from, to).multiplyScalar(0.5);
      along.subVectors(from, to);
      const length = Math.max(along.length(), 1e-6);
      turn.setFromUnitVectors(UP, along.divideScalar(length));
      this.limbs.setMatrixAt(index, matrix.compose(middle, turn, size.set(LIMB, length, LIMB)));
    });
    turn.identity();
    spheres.forEach((joint, index) => {
      const radius = joint === head ? HEAD : joint === nose ? NOSE : JOINT;
      this.knobs.setMatrixAt(index, matrix.compose(place(joint, from), turn, size.setScalar(radius)));
    });
    this.limbs.instanceMatrix.needsUpdate = true;
    this.knobs.instanceMatrix.needsUpdate = true;
    this.#paint(confidence, filled);
  }

  /** The middle of the head: between crown and nose. */
  #head(joints) {
    const { nose, head } = this.shape;
    if (nose < 0 || head < 0) return null;
    return middleOfHead.fromArray(joints, head * 3).lerp(from.fromArray(joints, nose * 3), 0.5);
  }

  #paint(confidence, filled) {
    let key = filled ? "f" : "s";
    if (confidence) for (const value of confidence) key += value > 0 ? "1" : "0";
    if (key === this.#key || !this.colours) return;
    this.#key = key;
    const { left, right, person, background } = this.colours;
    const colourOf = (joint) => {
      const own = this.skeleton.left.includes(joint) ? left : this.skeleton.right.includes(joint) ? right : person;
      const hidden = confidence && confidence[joint] === 0;
      return paint.copy(own).lerp(background, hidden ? PALE_HIDDEN : filled ? PALE_FILLED : 0);
    };
    this.shape.bones.forEach(([child], index) => this.limbs.setColorAt(index, colourOf(child)));
    this.shape.spheres.forEach((joint, index) => {
      const shown = colourOf(joint);
      if (joint === this.shape.nose) shown.lerp(background, 0.6);
      this.knobs.setColorAt(index, shown);
    });
    this.limbs.instanceColor.needsUpdate = true;
    this.knobs.instanceColor.needsUpdate = true;
  }

  dispose() {
    for (const mesh of [this.limbs, this.knobs]) mesh.dispose();
    this.limbs.material.dispose();
    this.shadowMaterial.dispose();
  }
}

// reused by every call, so that a picture allocates nothing
const from = new THREE.Vector3();
const to = new THREE.Vector3();
const middle = new THREE.Vector3();
const middleOfHead = new THREE.Vector3();
const along = new THREE.Vector3();
const size = new THREE.Vector3();
const turn = new THREE.Quaternion();
const matrix = new THREE.Matrix4();
const paint = new THREE.Color();
