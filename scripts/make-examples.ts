// Draws the clips in examples/: `node scripts/make-examples.ts [folder]`.
import { mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { standardColour } from "../src/data/video/colour.ts";
import { chooseEncoding, containerFor } from "../src/data/video/containers.ts";
import { VideoOutput } from "../src/data/video/output.ts";
import { renderFrame } from "../src/data/world/render.ts";
import { type Example, examples } from "./example-scenes.ts";
import { Tone } from "./tone.ts";

const fps = 8;
const folder = process.argv[2] ?? fileURLToPath(new URL("../examples/", import.meta.url));

await mkdir(folder, { recursive: true });
for (const example of examples) {
  const path = join(folder, `${example.name}.mp4`);
  await draw(path, example);
  const { size } = await stat(path);
  process.stdout.write(`${path}: ${example.frames} frames, ${Math.ceil(size / 1000)} kB\n`);
}

async function draw(path: string, { scene, width, height, frames, hertz }: Example): Promise<void> {
  const picture = {
    width,
    height,
    timeBase: { num: 1, den: fps },
    frameRate: { num: fps, den: 1 },
    colour: standardColour,
    sampleAspectRatio: { num: 1, den: 1 },
    displayMatrix: null,
  };
  const container = containerFor(path);
  const best = chooseEncoding(container, {}, { width, height });
  const encoding = { ...best, options: { ...best.options, crf: "17", preset: "slow" } };
  await using video = await VideoOutput.create(path, { container, encoding, picture });
  using tone = hertz === undefined ? undefined : new Tone(video.context, hertz);
  await video.begin({});
  for (let frame = 0; frame < frames; frame++) {
    await video.write(
      middleRows(renderFrame(scene, frame, width), width, height),
      BigInt(frame),
      1n,
    );
    tone?.writeUntil((frame + 1) / fps);
  }
  tone?.finish();
  await video.finish();
}

/** Scenes are drawn square; a landscape picture is the middle of one. */
function middleRows(square: Uint8Array, width: number, height: number): Uint8Array {
  const top = (width - height) >> 1;
  return square.subarray(top * width * 3, (top + height) * width * 3);
}
