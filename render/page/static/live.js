// The page of `videopose live`: each message of the WebSocket is one frame, its people and its picture. The
// server sends the next one when this page has shown it, so that no frames pile up behind a slow page.

import { Redraw } from "videopose/redraw.js";
import { Scene3D } from "videopose/scene.js";
import { colour, personColour, startTheme, switchTheme } from "videopose/theme.js";

const DOUBTFUL = 0.1; // keypoints that score less are not drawn
const SILENT = 2; // seconds without a frame, after which the page says so
const SMOOTHING = 0.1; // weight of the newest frame in the rate that is shown

const find = (id) => document.getElementById(id);
const data = JSON.parse(find("data").textContent);
const picture = find("picture");
const context = picture.getContext("2d");
const scene = new Scene3D(find("scene"), [...document.querySelectorAll(".cell")], data.skeleton);
const state = { people: [], bitmap: null, size: [16, 9], frames: 0, fitted: false, rate: 0, last: 0 };

/** Read a message: the length of a JSON text (4 bytes, big-endian), the text, and a JPEG picture. */
function read(buffer) {
  const length = new DataView(buffer).getUint32(0);
  const text = new TextDecoder().decode(new Uint8Array(buffer, 4, length));
  return [JSON.parse(text), new Blob([new Uint8Array(buffer, 4 + length)], { type: "image/jpeg" })];
}

async function take(buffer) {
  const [frame, jpeg] = read(buffer);
  const bitmap = await createImageBitmap(jpeg);
  state.bitmap?.close();
  Object.assign(state, { bitmap, size: frame.size, people: frame.people });
  const placed = frame.people.filter(({ joints }) => joints);
  const shown = placed.map(({ track, joints, confidence }) => ({
    index: track,
    joints: Float32Array.from(joints),
    confidence: Uint8Array.from(confidence),
  }));
  if (placed.length && !state.fitted) fit(placed);
  if (placed.length) followPeople(placed);
  scene.show(0, shown);
  const now = performance.now();
  if (state.last) {
    const rate = 1000 / Math.max(now - state.last, 1);
    state.rate = state.rate && !silence(now) ? state.rate + SMOOTHING * (rate - state.rate) : rate;
  }
  state.last = now;
  redraw.once();
  state.frames++;
  document.body.dataset.frames = String(state.frames);
  say(`${state.rate.toFixed(0)} frames/s · ${frame.ms.toFixed(0)} ms a frame · ${frame.dropped} dropped`);
}

/** Return the seconds for which no frame has come; 0 if one came a moment ago. */
function silence(now) {
  const seconds = (now - state.last) / 1000;
  return state.last && seconds > SILENT ? seconds : 0;
}

function fit(people) {
  const low = [Infinity, Infinity, 0];
  const high = [-Infinity, -Infinity, 2];
  for (const { joints } of people) {
    for (let i = 0; i < joints.length; i++) {
      if (i % 3 === 2) continue;
      low[i % 3] = Math.min(low[i % 3], joints[i]);
      high[i % 3] = Math.max(high[i % 3], joints[i]);
    }
  }
  scene.fit({ low, high });
  state.fitted = true;
}

function followPeople(people) {
  const middle = [0, 1].map((axis) => people.reduce((sum, p) => sum + p.joints[axis], 0) / people.length);
  scene.follow(...middle);
}

function drawPicture() {
  const { width, height } = picture.getBoundingClientRect();
  const ratio = Math.min(devicePixelRatio, 2);
  picture.width = Math.round(width * ratio); // this also clears it
  picture.height = Math.round(height * ratio);
  if (!state.bitmap || !width) return;
  const [w, h] = state.size;
  const scale = Math.min(picture.width / w, picture.height / h);
  context.translate((picture.width - scale * w) / 2, (picture.height - scale * h) / 2);
  context.scale(scale, scale);
  context.drawImage(state.bitmap, 0, 0, w, h);
  if (find("keypoints").getAttribute("aria-pressed") !== "true") return;
  context.lineCap = "round";
  for (const { track, keypoints } of state.people) {
    for (const [from, to, side] of data.limbs) {
      if (Math.min(keypoints[from * 3 + 2], keypoints[to * 3 + 2]) < DOUBTFUL) continue;
      context.beginPath();
      context.moveTo(keypoints[from * 3], keypoints[from * 3 + 1]);
      context.lineTo(keypoints[to * 3], keypoints[to * 3 + 1]);
      context.strokeStyle = side ? colour(side) : personColour(track);
      context.lineWidth = (3 * ratio) / scale;
      context.stroke();
    }
  }
}

function say(text) {
  find("status").textContent = text;
}

function connect() {
  const address = new URL(location.href);
  address.protocol = "ws:";
  address.pathname += "frames";
  const socket = new WebSocket(address);
  socket.binaryType = "arraybuffer";
  socket.onmessage = async ({ data: buffer }) => {
    await take(buffer);
    await new Promise(requestAnimationFrame);
    if (socket.readyState === WebSocket.OPEN) socket.send("next");
  };
  socket.onclose = () => {
    document.body.dataset.ended = "true";
    say("ended: the program that sent the frames has stopped");
  };
}

function draw() {
  scene.render();
  drawPicture();
}

const redraw = new Redraw(draw);
scene.controls.addEventListener("change", redraw.wake);
new ResizeObserver(redraw.wake).observe(find("scene"));
setInterval(() => {
  const seconds = silence(performance.now());
  if (seconds && !document.body.dataset.ended) say(`no picture from the camera for ${Math.floor(seconds)} s`);
}, 1000);

function repaint() {
  scene.setTheme();
  redraw.wake();
}

find("theme").onclick = () => switchTheme(repaint);
find("reset").onclick = () => (state.fitted = false);
find("keypoints").onclick = ({ currentTarget: button }) =>
  button.setAttribute("aria-pressed", String(button.getAttribute("aria-pressed") !== "true"));
startTheme(repaint);
repaint();
scene.fit({ low: [-1, 1, 0], high: [1, 3, 2] });
window.videopose = { scene, state }; // for scripts, and for the browser's console
connect();
