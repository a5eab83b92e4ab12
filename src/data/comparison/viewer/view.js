/** Most that a picture is enlarged, against its whole in the stage. */
const MOST = 32;

/** Which part of the pictures is seen, the same of each: how much enlarged, and around which place (0–1 across and down). */
export class View {
  zoom = 1;
  x = 0.5;
  y = 0.5;

  constructor({ width, height }, pixelAspect) {
    this.width = width * pixelAspect;
    this.height = height;
  }

  /** Screen pixels for one of the picture's, in a pane. */
  scaleIn(pane) {
    return Math.min(pane.width / this.width, pane.height / this.height) * this.zoom;
  }

  /** Where the whole picture lies around a pane. */
  rectIn(pane) {
    const scale = this.scaleIn(pane);
    const [width, height] = [this.width * scale, this.height * scale];
    return {
      left: pane.left + offset(this.x, width, pane.width),
      top: pane.top + offset(this.y, height, pane.height),
      width,
      height,
    };
  }

  /** Enlarges by `factor`; the place under (`left`, `top`) stays there. */
  zoomAt(factor, left, top, pane) {
    const before = this.rectIn(pane);
    const place = {
      x: (left - before.left) / before.width,
      y: (top - before.top) / before.height,
    };
    this.zoom = Math.min(MOST, Math.max(1, this.zoom * factor));
    const after = this.rectIn(pane);
    this.move(
      left - (after.left + place.x * after.width),
      top - (after.top + place.y * after.height),
      pane,
    );
  }

  /** Moves the pictures by screen pixels, as far as they reach. */
  move(right, down, pane) {
    const { width, height } = this.rectIn(pane);
    this.x = within(this.x - right / width, pane.width / width);
    this.y = within(this.y - down / height, pane.height / height);
  }

  fit() {
    this.zoom = 1;
    this.x = 0.5;
    this.y = 0.5;
  }
}

/** A place in the middle of a pane that is `share` of the picture, so that the picture covers it. */
function within(place, share) {
  if (share >= 1) return 0.5;
  return Math.min(1 - share / 2, Math.max(share / 2, place));
}

function offset(place, length, room) {
  return length <= room ? (room - length) / 2 : room / 2 - place * length;
}
