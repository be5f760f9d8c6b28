// The floor: a grid whose lines are half a metre apart, around the people.

import * as THREE from "three";

const CELL = 0.5; // metres

export class Floor extends THREE.Group {
  /** @param reach Metres from the middle to the edge. @param middle x and y of the middle. */
  constructor(reach, middle = [0, 0]) {
    super();
    const cell = CELL * 2 ** Math.max(Math.ceil(Math.log2(reach / CELL / 20)), 0);
    const count = Math.ceil(reach / cell);
    const points = [];
    for (let i = -count; i <= count; i++) {
      points.push(-count * cell, i * cell, 0, count * cell, i * cell, 0);
      points.push(i * cell, -count * cell, 0, i * cell, count * cell, 0);
    }
    const geometry = new THREE.BufferGeometry();
    geometry.setAttribute("position", new THREE.Float32BufferAttribute(points, 3));
    this.lines = new THREE.LineSegments(geometry, new THREE.LineBasicMaterial());
    this.plate = new THREE.Mesh(
      new THREE.PlaneGeometry(2 * count * cell, 2 * count * cell),
      new THREE.MeshBasicMaterial({ polygonOffset: true, polygonOffsetFactor: 2, polygonOffsetUnits: 2 }),
    );
    this.plate.position.z = -2e-3;
    this.plate.renderOrder = -3;
    this.lines.renderOrder = -2;
    this.add(this.plate, this.lines);
    this.position.set(Math.round(middle[0] / cell) * cell, Math.round(middle[1] / cell) * cell, 0);
  }

  setColours({ grid, floor }) {
    this.lines.material.color.set(grid);
    this.plate.material.color.set(floor);
  }
}
