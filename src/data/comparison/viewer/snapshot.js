/**
 * What a video shows at one moment.
 *
 * A video goes on between two calls that draw it, also within one script: parts of one frame are taken from a copy.
 */
export class Snapshot {
  constructor(video) {
    this.video = video;
    this.canvas = document.createElement("canvas");
    this.canvas.width = video.videoWidth;
    this.canvas.height = video.videoHeight;
    this.context = this.canvas.getContext("2d", { alpha: false });
    this.isOld = true;
  }

  /** The copy, taken anew if another frame was shown since. */
  picture() {
    if (this.isOld) this.context.drawImage(this.video, 0, 0);
    this.isOld = false;
    return this.canvas;
  }
}
