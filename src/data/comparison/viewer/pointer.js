/** Factor of a double click, and of a key or button. */
const CLOSER = 2;

/**
 * Lets fingers, mouse and wheel move what is seen.
 *
 * `stage` has `view`, `paneAt(left, top)`, `splitTo(left)`, `isWiping` and `changed()`.
 */
export function listenToPointers(element, divider, stage) {
  const held = new Map();
  const at = ({ clientX, clientY }) => {
    const { left, top } = element.getBoundingClientRect();
    return { left: clientX - left, top: clientY - top };
  };
  let isDividing = false;
  element.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || event.target.closest("button")) return;
    const isOnDivider = event.target.closest(".divider") === divider;
    isDividing = isOnDivider || (stage.isWiping && stage.view.zoom === 1);
    held.set(event.pointerId, at(event));
    element.setPointerCapture(event.pointerId);
    element.classList.add("moving");
    if (isDividing) stage.splitTo(at(event).left);
  });
  element.addEventListener("pointermove", (event) => {
    const before = held.get(event.pointerId);
    if (!before) return;
    const now = at(event);
    const [other] = [...held].flatMap(([id, place]) => (id === event.pointerId ? [] : [place]));
    held.set(event.pointerId, now);
    if (other) pinch(stage, before, now, other);
    else if (isDividing) stage.splitTo(now.left);
    else
      stage.view.move(
        now.left - before.left,
        now.top - before.top,
        stage.paneAt(now.left, now.top),
      );
    stage.changed();
  });
  for (const type of ["pointerup", "pointercancel"])
    element.addEventListener(type, (event) => {
      held.delete(event.pointerId);
      if (held.size === 0) element.classList.remove("moving");
    });
  const zoom = (factor, event) => {
    const { left, top } = at(event);
    stage.view.zoomAt(factor, left, top, stage.paneAt(left, top));
    stage.changed();
  };
  element.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      zoom(Math.exp(-event.deltaY / 200), event);
    },
    { passive: false },
  );
  element.addEventListener("dblclick", (event) => {
    if (event.target.closest("button")) return;
    if (stage.view.zoom > 1) stage.view.fit();
    else zoom(CLOSER, event);
    stage.changed();
  });
}

/** Two fingers: one stays at `other`, one goes from `before` to `now`. */
function pinch({ view, paneAt }, before, now, other) {
  const apart = (place) => Math.hypot(place.left - other.left, place.top - other.top);
  const [left, top] = [(now.left + other.left) / 2, (now.top + other.top) / 2];
  const pane = paneAt(left, top);
  view.zoomAt(apart(now) / Math.max(1, apart(before)), left, top, pane);
  view.move((now.left - before.left) / 2, (now.top - before.top) / 2, pane);
}
