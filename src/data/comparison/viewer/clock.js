/** Which frame of a video is shown, and which is to be. `times` are the seconds at which frames begin. */
export class Clock {
  constructor(video, { times, endSeconds }, onFrame) {
    this.video = video;
    this.times = times;
    this.end = endSeconds;
    this.onFrame = onFrame;
    this.frame = 0;
    this.wanted = null;
    this.isLooping = true;
    this.hasFrameCallbacks = "requestVideoFrameCallback" in video;
    video.addEventListener("seeked", () => this.#arrived());
    // not by `loop`: Chrome leaves the last frame by it even where it stands still, Firefox hangs in short clips
    video.addEventListener("ended", () => this.isLooping && this.toggle());
    this.#watch();
  }

  get isPlaying() {
    return !this.video.paused && !this.video.ended;
  }

  /** The last frame that has begun at `seconds`; clocks of browsers round. */
  frameAt(seconds) {
    let [from, to] = [0, this.times.length - 1];
    while (from < to) {
      const middle = (from + to + 1) >> 1;
      if (this.times[middle] <= seconds + 0.0005) from = middle;
      else to = middle - 1;
    }
    return from;
  }

  /** Shows a frame; while one is on its way, the last one asked for follows it. */
  seek(frame) {
    const last = this.times.length - 1;
    const target = Math.min(last, Math.max(0, frame));
    if (target === this.frame && !this.isPlaying && !this.video.seeking) return;
    this.#show(target);
    if (this.video.seeking) this.wanted = target;
    else this.#go(target);
  }

  /** To the middle of a frame, which no rounding takes for another. */
  #go(frame) {
    const next = this.times[frame + 1] ?? this.end;
    this.video.currentTime = (this.times[frame] + next) / 2;
  }

  setLoop(isLooping) {
    this.isLooping = isLooping;
  }

  step(count) {
    this.video.pause();
    this.seek(this.frame + count);
  }

  async toggle() {
    if (this.isPlaying) return this.video.pause();
    if (this.frame === this.times.length - 1) this.seek(0);
    await this.video.play();
  }

  #show(frame) {
    this.frame = frame;
    this.onFrame(frame);
  }

  #arrived() {
    const wanted = this.wanted;
    this.wanted = null;
    if (wanted === null) this.#show(this.frameAt(this.video.currentTime));
    else this.#go(wanted);
  }

  /** Hears of each frame as it is shown; where browsers do not tell, looks whenever the screen is drawn. */
  #watch() {
    if (this.hasFrameCallbacks) {
      this.video.requestVideoFrameCallback((_, { mediaTime }) => {
        if (!this.video.seeking) this.#show(this.frameAt(mediaTime));
        this.#watch();
      });
      return;
    }
    requestAnimationFrame(() => {
      if (this.isPlaying) this.#show(this.frameAt(this.video.currentTime));
      this.#watch();
    });
  }
}
