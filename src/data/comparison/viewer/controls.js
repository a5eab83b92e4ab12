const MODES = ["wipe", "side", "blink", "difference"];

/** How far a key moves the divider. */
const NUDGE = 0.02;

/** Connects buttons, sliders and keys with what they do; `viewer` is that of `start.js`. */
export function listenToControls(viewer, byId) {
  for (const radio of document.querySelectorAll("input[name=mode]"))
    radio.addEventListener("change", () => viewer.setMode(radio.value));
  const click = (id, action) => byId(id).addEventListener("click", action);
  click("zoom-in", () => viewer.zoomBy(2));
  click("zoom-out", () => viewer.zoomBy(0.5));
  click("zoom-fit", () => viewer.zoomBy(0));
  click("switch", () => viewer.setBlinking(!viewer.isBlinking));
  click("back", () => viewer.clock?.step(-1));
  click("forward", () => viewer.clock?.step(1));
  click("play", () => viewer.clock?.toggle());
  byId("frame").addEventListener("input", ({ target }) => viewer.clock?.seek(Number(target.value)));
  byId("loop").addEventListener("change", ({ target }) => viewer.setLoop(target.checked));
  byId("sound").addEventListener("change", ({ target }) => viewer.setSound(target.checked));
  byId("speed").addEventListener("change", ({ target }) => viewer.setSpeed(Number(target.value)));
  document.addEventListener("keydown", (event) => listenToKey(event, viewer, byId));
}

function listenToKey(event, viewer, byId) {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const { target, key, shiftKey } = event;
  const isOnDivider = target.closest?.(".divider");
  const move = (count) =>
    isOnDivider ? nudge(count) : viewer.clock?.step(shiftKey ? count * 10 : count);
  const nudge = (count) => viewer.setSplit(viewer.split + count * NUDGE * (shiftKey ? 5 : 1));
  const actions = {
    " ": () => viewer.clock?.toggle(),
    ArrowLeft: () => move(-1),
    ArrowRight: () => move(1),
    Home: () => (isOnDivider ? viewer.setSplit(0) : viewer.clock?.seek(0)),
    End: () => (isOnDivider ? viewer.setSplit(1) : viewer.clock?.seek(Infinity)),
    ",": () => nudge(-1),
    ".": () => nudge(1),
    x: () => viewer.swap(),
    l: () => byId("loop").click(),
    m: () => byId("sound").click(),
    "+": () => viewer.zoomBy(2),
    "=": () => viewer.zoomBy(2),
    "-": () => viewer.zoomBy(0.5),
    0: () => viewer.zoomBy(0),
  };
  const mode = MODES[Number(key) - 1];
  const action = mode === undefined ? actions[key] : () => viewer.setMode(mode);
  if (action === undefined || needsItself(target, key)) return;
  event.preventDefault();
  action();
}

/** Whether a control that has the focus does something of its own with a key. */
function needsItself(target, key) {
  const isIn = (controls) => Boolean(target.closest?.(controls));
  if (key === " ") return isIn("button, summary, select, input:not([type=range])");
  if (/^(Arrow|Home|End)/.test(key)) return isIn("input, select");
  return isIn("select");
}
