import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { UserError } from "../../engine/errors.ts";
import { containerFor, type EncodingChoice } from "./containers.ts";
import { type DecodedFrame, readFrames } from "./reader.ts";
import type { VideoInfo } from "./video-info.ts";
import { writeEdited } from "./writer.ts";

/** What is proposed where a kind of file cannot hold a sound: those that hold the most first. */
const PROPOSED = [".mkv", ".mov", ".mp4", ".avi", ".webm"];

/** Least side that every codec can code. */
const SIDE = 64;

/** How much of the sound is tried. */
const TRIED_SECONDS = 1;

/**
 * Throws a UserError of one sentence where the sound of `source` cannot be copied to `output`; it names what can hold it.
 *
 * Which muxer takes which sound from where, no table tells: the same Vorbis goes into mkv from webm and not from mp4, and some
 * is refused only as the file is closed. So a moment of it is copied into such a file, beside small pictures, and read back.
 */
export async function requireSound(
  source: VideoInfo,
  output: string,
  choice: EncodingChoice = {},
): Promise<void> {
  const { carriesAudio, label } = containerFor(output);
  if (source.path === null || !source.hasAudio || !carriesAudio) return;
  const pictures = await firstPictures(source.path);
  const failure = async (name: string) => await failureOf(source, pictures, name, choice);
  const refusal = await failure(`sound${extname(output)}`);
  if (refusal === null || (await failsWithoutSound(source, pictures, output, choice))) return;
  const what = `the ${[...new Set(source.audioCodecs)].join(" and ")} audio of ${source.name}`;
  for (const extension of PROPOSED) {
    const name = `sound${extension}`;
    if (containerFor(name).label === label || (await failure(name)) !== null) continue;
    throw new UserError(`${label} cannot hold ${what}: write ${extension} instead.`, {
      cause: refusal,
    });
  }
  throw new UserError(
    `No video file that can be written holds ${what}: encode it first, such as by ffmpeg -i … -c:v copy -c:a flac ….mkv, or write a folder of pictures, a name that ends with /.`,
    { cause: refusal },
  );
}

/** The first two pictures, small. */
async function firstPictures(path: string): Promise<DecodedFrame[]> {
  const pictures: DecodedFrame[] = [];
  for await (const picture of readFrames(path, { width: SIDE, height: SIDE })) {
    if (pictures.push(picture) === 2) break;
  }
  return pictures;
}

/** Whether it is not the sound that cannot be stored. */
async function failsWithoutSound(
  source: VideoInfo,
  pictures: readonly DecodedFrame[],
  output: string,
  choice: EncodingChoice,
): Promise<boolean> {
  const silent = { ...source, path: null, hasAudio: false, audioCodecs: [] };
  return (await failureOf(silent, pictures, `silent${extname(output)}`, choice)) !== null;
}

/** Why `pictures` and a moment of the sound of `source` cannot be stored in a file of that name; null where they can. */
async function failureOf(
  source: VideoInfo,
  pictures: readonly DecodedFrame[],
  name: string,
  choice: EncodingChoice,
): Promise<unknown> {
  const folder = await mkdtemp(join(tmpdir(), "open-eve-sound-"));
  try {
    await writeEdited(small(source, pictures.length), join(folder, name), pictures, {
      ...choice,
      copiedSeconds: TRIED_SECONDS,
    });
    return null;
  } catch (error) {
    if (isOfTheSystem(error)) throw error;
    return error;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The source as far as its sound goes, of so many pictures. */
function small(source: VideoInfo, frames: number): VideoInfo {
  return {
    ...source,
    frames,
    width: SIDE,
    height: SIDE,
    codedWidth: SIDE,
    codedHeight: SIDE,
    rotation: 0,
    mirrored: false,
    displayMatrix: null,
    sampleAspectRatio: { num: 1, den: 1 },
    subtitleCodecs: [],
    chapters: [],
  };
}

/** What FFmpeg's muxers refuse a stream by; other words of the system are of the disk. */
const refusals = new Set<unknown>(["EINVAL", "EPERM"]);

function isOfTheSystem(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return ("code" in error && !refusals.has(error.code)) || isOfTheSystem(error.cause);
}
