// The page of `videopose serve`: it sends videos, shows what the server does with them, and offers the results.

import { startTheme, switchTheme } from "videopose/theme.js";

const EVERY = 700; // milliseconds between two questions to the server
const find = (id) => document.getElementById(id);
const largest = Number(document.body.dataset.largest);
const shown = new Map(); // the element of each clip, by id

const STATES = {
  waiting: ({ before }) => (before ? `waits for ${before} other${before > 1 ? "s" : ""}` : "waits"),
  working: ({ message, share }) => `${message}${share === null ? " …" : ` ${Math.floor(share * 100)} %`}`,
  choose: ({ people }) => (people.length === 1 ? "1 person was found" : `${people.length} people were found`),
  done: () => "done",
  failed: ({ message }) => message,
  cancelled: () => "cancelled",
};

// --- the server --------------------------------------------------------------------------------------

async function ask(path, options = {}) {
  const answer = await fetch(path, options);
  if (answer.ok) return answer.status === 204 ? null : answer.json();
  throw new Error((await answer.json().catch(() => ({}))).error ?? `the server answered ${answer.status}`);
}

/** Ask the server for something, and show what it did. */
async function order(path, options) {
  try {
    await ask(path, options);
    tell("");
  } catch (error) {
    tell(error.message);
  }
  await refresh();
}

function tell(problem) {
  find("problem").hidden = !problem;
  find("problem").textContent = problem;
}

async function refresh() {
  let clips;
  try {
    clips = await ask("api/clips");
  } catch {
    document.body.dataset.server = "gone";
    tell("The server has ended. Start `videopose serve` again, and open the address that it prints.");
    return;
  }
  if (document.body.dataset.server === "gone") tell("");
  document.body.dataset.server = "here";
  show(clips);
}

async function keepRefreshing() {
  await refresh();
  setTimeout(keepRefreshing, EVERY);
}

// --- uploads -----------------------------------------------------------------------------------------

/** Send one video. Its line is replaced by the clip's when the server has it. */
function upload(file) {
  if (file.size > largest) {
    tell(`${file.name} is larger than ${Math.floor(largest / 1e6)} MB. The option --max-size sets the limit.`);
    return;
  }
  const line = document.createElement("li");
  const bar = Object.assign(document.createElement("progress"), { max: 1, value: 0 });
  const name = Object.assign(document.createElement("h2"), { textContent: file.name });
  const stop = Object.assign(document.createElement("button"), { type: "button", textContent: "cancel" });
  line.className = "upload";
  line.append(name, bar, stop);
  find("uploads").append(line);
  const request = new XMLHttpRequest(); // fetch does not tell how much has been sent
  request.upload.addEventListener("progress", ({ loaded, total }) => (bar.value = loaded / total));
  request.addEventListener("loadend", () => {
    line.remove();
    if (request.status >= 400) tell(JSON.parse(request.responseText || "{}").error ?? "the upload failed");
    else if (request.status) tell("");
    refresh();
  });
  stop.addEventListener("click", () => request.abort());
  request.open("POST", `api/clips?name=${encodeURIComponent(file.name)}`);
  request.send(file);
}

function listenToDrops() {
  const over = (event) => {
    event.preventDefault();
    find("drop").classList.toggle("over", event.type === "dragover");
  };
  for (const type of ["dragover", "dragleave", "drop"]) addEventListener(type, over);
  addEventListener("drop", (event) => [...event.dataTransfer.files].forEach(upload));
  find("file").addEventListener("change", () => {
    [...find("file").files].forEach(upload);
    find("file").value = "";
  });
}

// --- clips -------------------------------------------------------------------------------------------

function show(clips) {
  find("nothing").hidden = clips.length > 0;
  const present = new Set(clips.map(({ id }) => id));
  for (const [id, line] of shown) {
    if (present.has(id)) continue;
    line.remove();
    shown.delete(id);
  }
  clips.forEach((clip, index) => {
    if (!shown.has(clip.id)) shown.set(clip.id, makeLine(clip));
    const line = shown.get(clip.id);
    if (find("clips").children[index] !== line) find("clips").insertBefore(line, find("clips").children[index]);
    update(line, clip);
  });
}

function makeLine({ id, name }) {
  const line = find("clip").content.firstElementChild.cloneNode(true);
  const part = (className) => line.querySelector(`.${className}`);
  part("name").textContent = name;
  part("cancel").addEventListener("click", () => order(`api/clips/${id}/cancel`, { method: "POST" }));
  part("remove").addEventListener("click", () => order(`api/clips/${id}`, { method: "DELETE" }));
  part("again").addEventListener("click", () => again(line));
  part("choose").addEventListener("submit", (event) => {
    event.preventDefault();
    makeMotion(line);
  });
  part("look").addEventListener("click", () => look(line.clip));
  return line;
}

function update(line, clip) {
  const before = line.clip ?? {};
  line.clip = clip;
  line.dataset.state = clip.state;
  const { state } = clip;
  const busy = state === "waiting" || state === "working";
  const part = (className) => line.querySelector(`.${className}`);
  const text = STATES[state](clip);
  if (part("state").textContent !== text) part("state").textContent = text;
  part("cancel").hidden = !busy;
  part("again").hidden = state !== "failed" && state !== "cancelled";
  const bar = line.querySelector("progress");
  bar.hidden = state !== "working";
  if (clip.share === null) bar.removeAttribute("value");
  else bar.value = clip.share;
  part("choose").hidden = busy || !clip.people.length;
  part("results").hidden = state !== "done";
  if (before.people?.length !== clip.people.length) showPeople(part("people"), clip);
  if (before.downloads?.join() !== clip.downloads.join()) showDownloads(part("results"), clip);
}

function showPeople(box, { id, people, chosen }) {
  box.replaceChildren(
    ...people.map((person, index) => {
      const checked = chosen.length ? chosen.includes(person.id) : index === 0;
      const choice = Object.assign(document.createElement("input"), { type: "checkbox", checked });
      choice.value = person.id;
      const picture = Object.assign(document.createElement("img"), {
        src: `clips/${id}/${person.picture}`,
        alt: `person ${person.id}`,
      });
      const label = document.createElement("label");
      const text = Object.assign(document.createElement("small"), {
        textContent: `${person.seconds} s, ${person.height} pixels tall`,
      });
      const name = document.createElement("span");
      name.append(choice, ` person ${person.id}`);
      label.append(picture, name, text);
      return label;
    }),
  );
}

function showDownloads(box, { id, downloads }) {
  for (const link of box.querySelectorAll("a")) link.remove();
  for (const name of downloads) {
    const link = document.createElement("a");
    Object.assign(link, { className: "button", href: `clips/${id}/${name}`, download: name, textContent: name });
    box.append(link);
  }
}

function makeMotion(line) {
  const people = [...line.querySelectorAll(".people input:checked")].map(({ value }) => Number(value));
  order(`api/clips/${line.clip.id}/motion`, { method: "POST", body: JSON.stringify({ people }) });
}

/** Do again what failed. */
function again(line) {
  if (line.clip.step === "motion") makeMotion(line);
  else order(`api/clips/${line.clip.id}/people`, { method: "POST" });
}

function look({ id, name, page }) {
  find("viewer-title").textContent = name;
  find("viewer-page").src = `clips/${id}/${page}`;
  find("viewer").showModal();
}

find("close").addEventListener("click", () => find("viewer").close());
find("viewer").addEventListener("close", () => find("viewer-page").removeAttribute("src"));
find("theme").addEventListener("click", () => switchTheme(() => {}));
startTheme(() => {});
listenToDrops();
keepRefreshing();
