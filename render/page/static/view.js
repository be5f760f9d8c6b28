// The page of `videopose view`: it builds the parts and connects them.

import { Curves, kinds } from "videopose/curves.js";
import { decodeBase64, unpack } from "videopose/data.js";
import { listenToKeys } from "videopose/keys.js";
import { legend, Marks } from "videopose/marks.js";
import { Player } from "videopose/player.js";
import { Redraw } from "videopose/redraw.js";
import { Scene3D } from "videopose/scene.js";
import { personColour, startTheme, switchTheme } from "videopose/theme.js";
import { Timeline } from "videopose/timeline.js";
import { VideoPanel } from "videopose/video_panel.js";

const SPEEDS = [0.1, 0.25, 0.5, 1, 2];
const find = (id) => document.getElementById(id);
const textOf = (id) => find(id).textContent;

const data = unpack(JSON.parse(textOf("data")));
const { sources, skeleton } = data;
const main = sources[0];
const player = new Player(data.duration, main.frameLength, data.pauses);
const shown = { mode: "world", trails: false, keypoints: true, follow: false };

function element(tag, attributes = {}, ...children) {
  const made = Object.assign(document.createElement(tag), attributes);
  made.append(...children);
  return made;
}

// --- the parts ---------------------------------------------------------------------------------------

const cells = sources.map(({ label }) => {
  const cell = element("div", { className: "cell" }, element("span", { className: "label", textContent: label }));
  find("cells").append(cell);
  return cell;
});
find("cells").style.setProperty("--columns", String(Math.ceil(Math.sqrt(cells.length))));
const scene = new Scene3D(find("scene"), cells, skeleton);
const timeline = new Timeline(find("slider"), find("bars"), player, main, data.damaged);
const curves = new Curves(find("curve"), find("readout"), player, main);
const video = startVideo();
const marks = new Marks(find("mark"), main, data.damaged, data.pauses);
for (const name of legend(sources, data.damaged)) {
  find("legend").append(element("span", { className: name.replace(" ", "-"), textContent: name }));
}

/** Show the embedded video, or the file beside the page; null if there is neither. */
function startVideo() {
  if (!data.video) {
    find("scene-panel").append(find("mark"));
    find("video-panel").remove();
    document.body.classList.add("without-video");
    return null;
  }
  const screen = find("video");
  const embedded = find("video-data");
  screen.src = embedded
    ? URL.createObjectURL(new Blob([decodeBase64(embedded.textContent)], { type: "video/mp4" }))
    : data.video.link;
  screen.addEventListener("loadedmetadata", () => player.attach(screen, data.video.offset, !embedded), { once: true });
  screen.addEventListener("error", () => {
    find("video-error").hidden = false;
    find("video-error").textContent =
      `The video ${data.video.name} cannot be shown: it is not beside this page, or this browser cannot play it.`;
  });
  find("video-panel").style.setProperty("--ratio", String(main.size[0] / main.size[1]));
  return new VideoPanel(screen, find("overlay"), main, data.limbs);
}

function showEverything() {
  scene.fit(data.box);
}

// --- people ------------------------------------------------------------------------------------------

/** The ids of all people, each with its tracks in the sources. A person has one switch on the page. */
const people = new Map();
for (const source of sources) {
  for (const track of source.tracks) {
    if (!people.has(track.id)) people.set(track.id, []);
    people.get(track.id).push(track);
  }
}
const switches = [...people].map(([id, tracks]) => {
  const button = element("button", { type: "button", className: "person", textContent: `person ${id}` });
  button.dataset.track = id;
  button.addEventListener("click", () => setVisible(tracks, button, !tracks[0].visible));
  find("people").append(button);
  return { button, tracks };
});

function setVisible(tracks, button, visible) {
  for (const track of tracks) track.visible = visible;
  button.setAttribute("aria-pressed", String(visible));
  timeline.draw();
}
for (const { tracks, button } of switches) setVisible(tracks, button, true);

// --- curves ------------------------------------------------------------------------------------------

function startCurves() {
  const track = main.tracks[0];
  if (!track || !kinds(track).length) {
    find("curves").remove();
    return;
  }
  for (const { id } of main.tracks) {
    find("curve-person").append(element("option", { value: id, textContent: `person ${id}` }));
  }
  for (const kind of kinds(track)) {
    find("curve-kind").append(element("option", { value: kind, textContent: kind.replaceAll("_", " ") }));
  }
  find("curve-kind").value = kinds(track).includes("knee_flexion") ? "knee_flexion" : kinds(track)[0];
  const choose = () => {
    const chosen = main.tracks.find(({ id }) => String(id) === find("curve-person").value);
    curves.choose(chosen, find("curve-kind").value);
  };
  for (const id of ["curve-person", "curve-kind"]) find(id).addEventListener("change", choose);
  choose();
}
startCurves();

// --- buttons and keys --------------------------------------------------------------------------------

for (const speed of SPEEDS) {
  find("speed").append(element("option", { value: speed, textContent: `${speed}×` }));
}
find("speed").value = "1";
find("speed").addEventListener("change", () => player.setSpeed(Number(find("speed").value)));

function changeSpeed(by) {
  const at = Math.min(Math.max(SPEEDS.indexOf(player.speed) + by, 0), SPEEDS.length - 1);
  player.setSpeed(SPEEDS[at]);
  find("speed").value = String(player.speed);
}

function setMode(mode) {
  shown.mode = mode;
  document.body.dataset.mode = mode;
  find("mode").textContent = mode === "world" ? "world" : "camera";
  find("mode").setAttribute("aria-pressed", String(mode === "camera"));
}
setMode("world");

function toggle(name) {
  shown[name] = !shown[name];
  find(name).setAttribute("aria-pressed", String(shown[name]));
}

/** Go to another frame of the video. */
function stepFrames(count) {
  player.pause();
  const frame = Math.min(Math.max(main.frameAt(player.time) + count, 0), main.time.length - 1);
  player.seek(main.time[frame]);
}

function repaint() {
  redraw.wake();
  scene.setTheme();
  timeline.draw();
  curves.draw();
  for (const { button, tracks } of switches) button.style.setProperty("--own", personColour(tracks[0].index));
}

const actions = {
  play: () => player.toggle(),
  mode: () => setMode(shown.mode === "world" ? "camera" : "world"),
  trails: () => toggle("trails"),
  keypoints: () => toggle("keypoints"),
  follow: () => toggle("follow"),
  reset: showEverything,
  theme: () => switchTheme(repaint),
  help: () => find("keys").toggleAttribute("hidden"),
};
for (const [id, action] of Object.entries(actions)) find(id)?.addEventListener("click", action);
for (const name of ["trails", "keypoints", "follow"]) find(name)?.setAttribute("aria-pressed", String(shown[name]));

const seconds = (count) => () => player.seek(player.time + count);
listenToKeys({
  " ": actions.play,
  k: actions.play,
  ArrowLeft: (event) => (event.shiftKey ? seconds(-1)() : stepFrames(-1)),
  ArrowRight: (event) => (event.shiftKey ? seconds(1)() : stepFrames(1)),
  Home: () => player.seek(0),
  End: () => player.seek(player.duration),
  "-": () => changeSpeed(-1),
  "+": () => changeSpeed(1),
  "=": () => changeSpeed(1),
  c: actions.mode,
  t: actions.trails,
  v: actions.keypoints,
  f: actions.follow,
  r: actions.reset,
  d: actions.theme,
  "?": actions.help,
  Escape: () => find("keys").setAttribute("hidden", ""),
  ...Object.fromEntries(switches.slice(0, 9).map(({ button }, index) => [index + 1, () => button.click()])),
});

// --- every picture -----------------------------------------------------------------------------------

player.addEventListener("change", () => {
  find("play").textContent = player.playing ? "⏸" : "▶";
  find("play").setAttribute("aria-label", player.playing ? "pause" : "play");
  document.body.dataset.playing = String(player.playing);
});

function peopleAt(source, time) {
  const found = [];
  for (const track of source.tracks) {
    if (!track.visible) continue;
    const pose = track.poseAt(time, source.frameLength);
    if (!pose) continue;
    const trail = shown.trails && { track, row: track.rowAt(time, source.frameLength), time };
    found.push({ index: track.index, ...pose, trail });
  }
  return found;
}

function followPeople(found) {
  if (!found.length) return;
  const middle = [0, 1].map((axis) => found.reduce((sum, { joints }) => sum + joints[axis], 0) / found.length);
  scene.follow(...middle);
}

/** Return the video's time at a time of the page, which begins with the first pose and shortens pauses. */
function videoTime(time) {
  return data.pauses.reduce((sum, [begin, leftOut]) => sum + (begin < time ? leftOut : 0), data.begins + time);
}

function writeTime() {
  const text = `${videoTime(player.time).toFixed(2)} s · frame ${data.firstFrame + main.frameAt(player.time) * data.every}`;
  if (find("time").textContent !== text) find("time").textContent = text;
}

let drawn = 0;
function draw(now) {
  player.tick(now);
  const { time } = player;
  sources.forEach((source, index) => {
    const found = peopleAt(source, time);
    scene.show(index, found);
    if (index === 0 && shown.follow) followPeople(found);
    const filmed = source.intrinsics ? source.cameraAt(time) : null;
    scene.showCamera(index, shown.mode === "world" ? filmed : null);
  });
  scene.lookThrough(shown.mode === "camera" && main.intrinsics ? main.cameraAt(time) : null);
  scene.render();
  video?.draw(time, shown.keypoints);
  timeline.update();
  find("playhead")?.style.setProperty(
    "transform",
    `translateX(${player.duration ? (100 * time) / player.duration : 0}%)`,
  );
  curves.update();
  marks.update(time);
  writeTime();
  if (drawn === 0) performance.mark("first-picture");
  document.body.dataset.pictures = String(++drawn);
}

const redraw = new Redraw(draw, () => player.playing);
for (const happens of ["seek", "change"]) player.addEventListener(happens, redraw.wake);
scene.controls.addEventListener("change", redraw.wake);
new ResizeObserver(redraw.wake).observe(find("scene"));

if (data.note) {
  find("note").hidden = false;
  find("note").textContent = data.note;
}
startTheme(repaint);
repaint();
showEverything();
player.pause();
window.videopose = { player, scene, sources, draw }; // for scripts, and for the browser's console
