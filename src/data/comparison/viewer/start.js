import { drawChart } from "./chart.js";
import { Clock } from "./clock.js";
import { listenToControls } from "./controls.js";
import { draw, panesOf, seenIn } from "./drawing.js";
import { openSheet, readPageData } from "./page-data.js";
import { listenToPointers } from "./pointer.js";
import { Snapshot } from "./snapshot.js";
import { View } from "./view.js";

const byId = (id) => document.getElementById(id);
/** How long each picture is shown where they take turns, in milliseconds: slow enough for every eye. */
const BLINK = 700;

/** What is shown, and how. */
class Viewer {
  mode = "wipe";
  split = 0.5;
  isResult = true;
  isBlinking = !matchMedia("(prefers-reduced-motion: reduce)").matches;
  isWaiting = true;
  size = { width: 1, height: 1 };
  ratio = 1;
  clock = null;
  #isDrawing = false;
  #sheet = null;
  #snapshot = null;
  #mark = () => {};

  constructor(data) {
    this.data = data;
    this.view = new View(data.size, data.pixelAspect);
    this.context = byId("canvas").getContext("2d");
  }

  get isWiping() {
    return this.mode === "wipe";
  }

  paneAt = (left, top) => {
    const panes = panesOf(this.mode, this.size, this.view);
    return panes.findLast((pane) => left >= pane.left && top >= pane.top) ?? panes[0];
  };

  changed() {
    this.update();
  }

  splitTo(left) {
    const seen = seenIn(this.paneAt(0, 0), this.view);
    this.setSplit((left - seen.left) / seen.width);
  }

  setSplit(split) {
    this.split = Math.min(1, Math.max(0, split));
    this.update();
  }

  setMode(mode) {
    this.mode = mode;
    document.querySelector(`input[name=mode][value=${mode}]`).checked = true;
    this.view.move(0, 0, this.paneAt(0, 0));
    this.update();
  }

  setBlinking(isBlinking) {
    this.isBlinking = isBlinking;
    this.update();
  }

  swap() {
    if (this.mode !== "blink") return;
    this.isBlinking = false;
    this.isResult = !this.isResult;
    this.update();
  }

  /** Enlarges around the middle; 0 shows all. */
  zoomBy(factor) {
    const pane = this.paneAt(0, 0);
    const [left, top] = [pane.left + pane.width / 2, pane.top + pane.height / 2];
    if (factor === 0) this.view.fit();
    else this.view.zoomAt(factor, left, top, pane);
    this.update();
  }

  setLoop(isLooping) {
    this.clock?.setLoop(isLooping);
  }

  setSound(isHeard) {
    if (this.clock) this.clock.video.muted = !isHeard;
  }

  setSpeed(speed) {
    if (this.clock) this.clock.video.playbackRate = speed;
  }

  /** Fits the stage to the window. */
  resize() {
    const stage = byId("stage");
    const { view } = this;
    const most = Math.max(260, innerHeight * 0.62);
    const height = Math.min(most, (stage.clientWidth * view.height) / view.width);
    stage.style.height = `${Math.max(200, Math.round(height))}px`;
    this.size = { width: stage.clientWidth, height: stage.clientHeight };
    this.ratio = devicePixelRatio;
    const { canvas } = this.context;
    canvas.width = Math.round(this.size.width * this.ratio);
    canvas.height = Math.round(this.size.height * this.ratio);
    view.move(0, 0, this.paneAt(0, 0));
    this.#paint(); // at once: a canvas of another size is empty
  }

  /** Draws when the screen is drawn next, once, whatever has changed until then. */
  update() {
    if (this.#isDrawing) return;
    this.#isDrawing = true;
    requestAnimationFrame(() => {
      this.#isDrawing = false;
      this.#paint();
    });
  }

  #paint() {
    draw(this.context, this.#snapshot?.picture() ?? this.#sheet, this);
    this.#label();
  }

  #label() {
    const { mode, view, split } = this;
    const pane = this.paneAt(0, 0);
    const seen = seenIn(pane, view);
    byId("left-tag").textContent = this.#nameOfLeft();
    this.#placeRightTag();
    byId("legend").hidden = mode !== "difference";
    byId("switch").hidden = mode !== "blink";
    byId("switch").setAttribute("aria-pressed", String(this.isBlinking));
    byId("canvas").classList.toggle("heat", mode === "difference");
    const divider = byId("divider");
    divider.hidden = mode !== "wipe";
    divider.style.left = `${seen.left + seen.width * split}px`;
    divider.setAttribute("aria-valuenow", String(Math.round(100 * split)));
    divider.setAttribute("aria-valuetext", `${Math.round(100 * split)} % input`);
    byId("stage").classList.toggle("zoomed", view.zoom > 1);
    const scale = Math.round(100 * view.scaleIn(pane));
    byId("zoom").textContent = `${scale} %`;
    byId("zoom").title = "Screen pixels for one of the picture's";
    const { canvas } = this.context;
    canvas.setAttribute(
      "aria-label",
      {
        wipe: "Input and result",
        side: "Input and result beside each other",
        blink: this.#nameOfLeft(),
        difference: "Where input and result differ",
      }[mode],
    );
  }

  /** Beside the divider's other end, or at the beginning of the other pane. */
  #placeRightTag() {
    const [, second] = panesOf(this.mode, this.size, this.view);
    const { style } = byId("right-tag");
    byId("right-tag").hidden = !second && !this.isWiping;
    style.left = second ? `${second.left + 10}px` : "auto";
    style.right = second ? "auto" : "10px";
    style.top = `${(second?.top ?? 0) + 10}px`;
  }

  #nameOfLeft() {
    if (this.mode === "difference") return "Difference";
    return this.mode === "blink" && this.isResult ? "Result" : "Input";
  }

  showFrame(frame) {
    const { first, times, startSeconds, changedShares } = this.data;
    const seconds = (startSeconds + times[frame]).toFixed(2);
    const share = (100 * changedShares[frame]).toFixed(1);
    byId("clock").textContent =
      `frame ${first + frame} of ${first}–${first + times.length - 1} · ${seconds}\u00a0s · ${share}\u00a0%\u00a0changed`;
    const slider = byId("frame");
    slider.value = frame;
    slider.setAttribute("aria-valuetext", `frame ${first + frame}, ${seconds} seconds`);
    byId("play").classList.toggle("is-playing", this.clock.isPlaying);
    this.#mark(frame);
    this.#snapshot.isOld = true;
    this.update();
  }

  #showPlaying() {
    const { isPlaying } = this.clock;
    byId("play").classList.toggle("is-playing", isPlaying);
    byId("play").setAttribute("aria-label", isPlaying ? "Pause" : "Play");
  }

  /** Shows the sheet that was read. */
  begin(sheet) {
    this.#sheet = sheet;
    this.isWaiting = false;
    byId("message").remove();
    const isVideo = sheet instanceof HTMLVideoElement;
    if (isVideo) {
      byId("frame").max = this.data.times.length - 1;
      const most = (100 * Math.max(...this.data.changedShares)).toFixed(1);
      byId("most").textContent = `Changed pixels of each frame, at most ${most} %`;
      this.#mark = drawChart(byId("curve"), this.data.changedShares);
      this.#snapshot = new Snapshot(sheet);
      this.clock = new Clock(sheet, this.data, (frame) => this.showFrame(frame));
      for (const type of ["play", "pause", "ended"])
        sheet.addEventListener(type, () => this.#showPlaying());
      this.setLoop(byId("loop").checked);
      this.setSpeed(Number(byId("speed").value));
      this.setSound(byId("sound").checked);
      this.showFrame(0);
    }
    setInterval(() => {
      if (this.mode !== "blink" || !this.isBlinking) return;
      this.isResult = !this.isResult;
      this.update();
    }, BLINK);
    this.update();
  }
}

async function start() {
  const viewer = new Viewer(readPageData());
  const isVideo = viewer.data.type.startsWith("video/");
  for (const part of document.querySelectorAll("[data-video]")) part.hidden = !isVideo;
  for (const part of document.querySelectorAll("[data-sound]")) part.hidden = !viewer.data.hasSound;
  listenToControls(viewer, byId);
  listenToPointers(byId("stage"), byId("divider"), viewer);
  new ResizeObserver(() => viewer.resize()).observe(byId("stage").parentElement);
  addEventListener("resize", () => viewer.resize());
  viewer.resize();
  try {
    viewer.begin(await openSheet(viewer.data.type));
  } catch {
    byId("message").textContent =
      "This browser cannot show the pictures: they are H.264 video, which Chrome, Edge, Firefox and Safari play.";
  }
}

void start();
