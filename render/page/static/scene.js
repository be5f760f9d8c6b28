// The 3D picture: people on a floor, to turn and zoom. It knows nothing of files and of time, so that a page
// that gets its poses as they come can use it, too.
//
//   const scene = new Scene3D(canvas, [cell], skeleton);
//   scene.fit({ low: [-1, -1, 0], high: [1, 1, 2] });
//   scene.show(0, [{ index: 0, joints, confidence, filled }]);
//   scene.render();

import * as THREE from "three";
import { OrbitControls } from "three/controls";
import { Floor } from "videopose/floor.js";
import { SkeletonMesh } from "videopose/skeleton_mesh.js";
import { Trails } from "videopose/trails.js";
import { colour, personColour } from "videopose/theme.js";

const FIELD = 40; // degrees: the vertical angle of view
const BODY = 0.25; // metres around the joints: flesh, and air
const NEAR = 0.05;
const FAR = 500;

export class Scene3D {
  #cells;
  #filmed = null;
  #target = new THREE.Vector3();

  /**
   * @param canvas The <canvas> behind all cells.
   * @param cells One element for each picture; the canvas draws behind it. All are seen from one side.
   * @param skeleton The joints of a person: see `SkeletonMesh`.
   */
  constructor(canvas, cells, skeleton) {
    this.canvas = canvas;
    this.skeleton = skeleton;
    this.renderer = new THREE.WebGLRenderer({ canvas, antialias: true });
    this.renderer.setScissorTest(true);
    this.camera = new THREE.PerspectiveCamera(FIELD, 1, NEAR, FAR);
    this.camera.up.set(0, 0, 1);
    this.filming = new THREE.PerspectiveCamera();
    this.filming.matrixAutoUpdate = false;
    this.controls = new OrbitControls(this.camera, canvas);
    this.controls.enableDamping = true;
    this.controls.dampingFactor = 0.15;
    this.#cells = cells.map((element) => new Cell(element));
    this.setTheme();
  }

  /** Read the colours of the style sheet anew. */
  setTheme() {
    this.colours = {
      left: colour("left"),
      right: colour("right"),
      background: colour("scene"),
      floor: colour("floor"),
      grid: colour("grid"),
      shadow: colour("shadow"),
    };
    this.renderer.setClearColor(this.colours.background);
    for (const cell of this.#cells) cell.setColours(this.colours);
  }

  /** Look at a box in the world (metres, z up) from where the camera was, a little turned, and lay the floor. */
  fit({ low, high }, azimuth = 35, elevation = 14) {
    const middle = low.map((value, axis) => (value + high[axis]) / 2);
    const reach = Math.hypot(...low.map((value, axis) => (high[axis] - value) / 2));
    for (const cell of this.#cells) cell.layFloor(Math.max(2 * reach, 3), middle, this.colours);
    const [turn, rise] = [azimuth, elevation].map((angle) => (angle * Math.PI) / 180);
    const back = [Math.sin(turn) * Math.cos(rise), -Math.cos(turn) * Math.cos(rise), Math.sin(rise)];
    const distance = farEnough(low.map((value, axis) => (high[axis] - value) / 2 + BODY), turn, back, this.aspect);
    this.controls.enableDamping = false;
    this.controls.update(); // a turn that has not come to rest ends here
    this.controls.enableDamping = true;
    this.controls.target.fromArray(middle);
    this.camera.position.set(
      ...middle.map((value, axis) => value + distance * back[axis]),
    );
    this.controls.update();
    this.#target.fromArray(middle);
  }

  /** Width by height of a cell. */
  get aspect() {
    const { width, height } = this.#cells[0].element.getBoundingClientRect();
    return height ? width / height : 1;
  }

  /** Move the view along with a point on the floor, such as the middle of the people. */
  follow(x, y) {
    step.set(x - this.#target.x, y - this.#target.y, 0).multiplyScalar(0.08);
    this.#target.add(step);
    this.controls.target.add(step);
    this.camera.position.add(step);
  }

  /** Look through the camera that filmed (`Source.cameraAt`); null: from where the user turned to. */
  lookThrough(filmed) {
    this.#filmed = filmed;
    this.controls.enabled = filmed === null;
  }

  /** Show the outline of the camera that filmed in a cell; null hides it. */
  showCamera(index, filmed) {
    this.#cells[index].showCamera(filmed, this.colours);
  }

  /**
   * Show people in a cell; those of the call before are gone.
   *
   * @param index The cell.
   * @param people Each with `index` (its colour), `joints`, and optionally `confidence`, `filled`, and
   *     `trail`: `{track, row, time}`.
   */
  show(index, people) {
    this.#cells[index].show(people, this.skeleton, this.colours);
  }

  /** Draw all cells. */
  render() {
    this.controls.update();
    const area = this.#resize();
    this.renderer.setScissor(0, 0, area.width, area.height);
    this.renderer.setViewport(0, 0, area.width, area.height);
    this.renderer.clear();
    for (const cell of this.#cells) {
      const { left, bottom, width, height } = cell.element.getBoundingClientRect();
      if (!width || !height) continue;
      this.renderer.setViewport(left - area.left, area.bottom - bottom, width, height);
      this.renderer.setScissor(left - area.left, area.bottom - bottom, width, height);
      this.renderer.render(cell.scene, this.#view(width, height));
    }
  }

  #resize() {
    const area = this.canvas.getBoundingClientRect();
    const ratio = Math.min(devicePixelRatio, 2);
    const [width, height] = [Math.floor(area.width * ratio), Math.floor(area.height * ratio)];
    if (this.canvas.width !== width || this.canvas.height !== height) {
      this.renderer.setPixelRatio(ratio);
      this.renderer.setSize(area.width, area.height, false);
    }
    return area;
  }

  #view(width, height) {
    if (!this.#filmed) {
      this.camera.aspect = width / height;
      this.camera.updateProjectionMatrix();
      return this.camera;
    }
    placeFilming(this.filming, this.#filmed, width, height);
    return this.filming;
  }
}

/** Return the distance from the middle of a box at which a camera in the direction `back` shows its corners. */
function farEnough(half, turn, back, aspect) {
  const up = [-Math.sin(turn) * back[2], Math.cos(turn) * back[2], Math.hypot(back[0], back[1])];
  const high = Math.tan((FIELD * Math.PI) / 360);
  const needed = [0, 1, 2, 3, 4, 5, 6, 7].map((corner) => {
    const [x, y, z] = half.map((value, axis) => ((corner >> axis) & 1 ? value : -value));
    const across = Math.abs(x * Math.cos(turn) + y * Math.sin(turn)) / (high * aspect);
    const along = Math.abs(x * up[0] + y * up[1] + z * up[2]) / high;
    return x * back[0] + y * back[1] + z * back[2] + Math.max(across, along);
  });
  return Math.max(...needed);
}

/** Give a camera the pose and the lens of the one that filmed; its picture fits into width × height. */
function placeFilming(camera, { rotation: r, position: p, intrinsics, size }, width, height) {
  const [fx, fy, cx, cy] = intrinsics;
  const scale = Math.min(width / size[0], height / size[1]);
  const [roomX, roomY] = [(width / scale - size[0]) / 2, (height / scale - size[1]) / 2];
  camera.projectionMatrix.makePerspective(
    (-NEAR * (cx + roomX)) / fx,
    (NEAR * (size[0] + roomX - cx)) / fx,
    (NEAR * (cy + roomY)) / fy,
    (-NEAR * (size[1] + roomY - cy)) / fy,
    NEAR,
    FAR,
  );
  camera.projectionMatrixInverse.copy(camera.projectionMatrix).invert();
  // its axes are right, down and forward; those of a camera here are right, up and backward
  camera.matrix.set(
    r[0], -r[1], -r[2], p[0],
    r[3], -r[4], -r[5], p[1],
    r[6], -r[7], -r[8], p[2],
    0, 0, 0, 1,
  );
  camera.updateMatrixWorld(true);
}

/** One picture: a scene behind an element. */
class Cell {
  #people = new Map();
  #floor = null;
  #outline = null;

  constructor(element) {
    this.element = element;
    this.scene = new THREE.Scene();
    const sun = new THREE.DirectionalLight(0xffffff, 1.6);
    sun.position.set(2, -3, 6);
    this.scene.add(sun, new THREE.HemisphereLight(0xffffff, 0xc4ccd6, 2.4));
  }

  layFloor(reach, middle, colours) {
    if (this.#floor) this.scene.remove(this.#floor);
    this.#floor = new Floor(reach, middle);
    this.#floor.setColours(colours);
    this.scene.add(this.#floor);
  }

  setColours(colours) {
    this.#floor?.setColours(colours);
    this.#outline?.material.color.set(colours.grid);
    for (const [index, person] of this.#people) paintPerson(person, index, colours);
  }

  show(people, skeleton, colours) {
    for (const person of this.#people.values()) person.mesh.visible = person.trails.visible = false;
    for (const { index, joints, confidence, filled, trail } of people) {
      let person = this.#people.get(index);
      if (!person) {
        person = { mesh: new SkeletonMesh(skeleton), trails: new Trails(skeleton) };
        paintPerson(person, index, colours);
        this.#people.set(index, person);
        this.scene.add(person.mesh, person.trails);
      }
      person.mesh.visible = true;
      person.mesh.setPose(joints, confidence, filled);
      person.trails.visible = Boolean(trail);
      if (trail) person.trails.show(trail.track, trail.row, trail.time);
    }
  }

  showCamera(filmed, colours) {
    if (!filmed) {
      if (this.#outline) this.#outline.visible = false;
      return;
    }
    if (!this.#outline) {
      const material = new THREE.LineBasicMaterial({ color: colours.grid });
      this.#outline = new THREE.LineSegments(cameraOutline(filmed), material);
      this.#outline.matrixAutoUpdate = false;
      this.scene.add(this.#outline);
    }
    const { rotation: r, position: p } = filmed;
    this.#outline.visible = true;
    this.#outline.matrix.set(
      r[0], r[1], r[2], p[0], r[3], r[4], r[5], p[1], r[6], r[7], r[8], p[2], 0, 0, 0, 1,
    );
  }
}

function paintPerson({ mesh, trails }, index, colours) {
  const own = { ...colours, person: personColour(index) };
  mesh.setColours(own);
  trails.setColours(own);
}

/** A pyramid of lines, half a metre deep, in the axes of the camera that filmed. */
function cameraOutline({ intrinsics: [fx, fy, cx, cy], size: [width, height] }) {
  const depth = 0.5;
  const corners = [[0, 0], [width, 0], [width, height], [0, height]].map(([x, y]) => [
    ((x - cx) / fx) * depth,
    ((y - cy) / fy) * depth,
    depth,
  ]);
  const points = corners.flatMap((corner, i) => [0, 0, 0, ...corner, ...corner, ...corners[(i + 1) % 4]]);
  const geometry = new THREE.BufferGeometry();
  geometry.setAttribute("position", new THREE.Float32BufferAttribute(points, 3));
  return geometry;
}

const step = new THREE.Vector3();
