/** Space between two panes, in pixels of the screen. */
const GAP = 8;
/** From so many screen pixels for one of the picture's on, its pixels are shown as they are. */
const CRISP = 4;

/** The parts of the stage that show a picture each. */
export function panesOf(mode, { width, height }, view) {
  const whole = { left: 0, top: 0, width, height };
  if (mode !== "side") return [whole];
  const beside = [0, 1].map((index) => {
    const half = (width - GAP) / 2;
    return { left: index * (half + GAP), top: 0, width: half, height };
  });
  const stacked = [0, 1].map((index) => {
    const half = (height - GAP) / 2;
    return { left: 0, top: index * (half + GAP), width, height: half };
  });
  return view.scaleIn(stacked[0]) > 1.3 * view.scaleIn(beside[0]) ? stacked : beside;
}

/** The part of a picture that is seen in a pane. */
export function seenIn(pane, view) {
  const rect = view.rectIn(pane);
  const left = Math.max(pane.left, rect.left);
  const top = Math.max(pane.top, rect.top);
  return {
    left,
    top,
    width: Math.min(pane.left + pane.width, rect.left + rect.width) - left,
    height: Math.min(pane.top + pane.height, rect.top + rect.height) - top,
  };
}

/** Draws what the mode shows of the sheet. `state` is that of `start.js`. */
export function draw(context, sheet, state) {
  const { mode, view, size, ratio, split, isResult, isWaiting } = state;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, size.width, size.height);
  if (isWaiting) return;
  const [first, second] = panesOf(mode, size, view);
  const paint = (name, pane, clip = pane) => drawTile(context, sheet, state, { name, pane, clip });
  switch (mode) {
    case "wipe": {
      const seen = seenIn(first, view);
      const cut = seen.width * split;
      paint("result", first, { ...seen, left: seen.left + cut, width: seen.width - cut });
      paint("input", first, { ...seen, width: cut });
      break;
    }
    case "side":
      paint("input", first);
      paint("result", second);
      break;
    case "blink":
      paint(isResult ? "result" : "input", first);
      break;
    case "difference":
      paint("difference", first);
      break;
  }
}

function drawTile(context, sheet, { view, ratio, data }, { name, pane, clip }) {
  const { tile, places } = data;
  const { left, top } = places[name];
  const rect = view.rectIn(pane);
  context.save();
  context.beginPath();
  context.rect(clip.left, clip.top, clip.width, clip.height);
  context.clip();
  const isLarge = (rect.height / tile.height) * ratio >= CRISP;
  context.imageSmoothingEnabled = !(isLarge && view.zoom > 1);
  context.imageSmoothingQuality = "high";
  context.drawImage(
    sheet,
    left,
    top,
    tile.width,
    tile.height,
    rect.left,
    rect.top,
    rect.width,
    rect.height,
  );
  context.restore();
}
