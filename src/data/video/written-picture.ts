import { writeFile } from "node:fs/promises";
import { extname } from "node:path";
import { DataError, UserError } from "../../engine/errors.ts";
import { shownAspect } from "./orientation.ts";
import { requireWritable, writeAtomically } from "../output-file.ts";
import { pictureNotices } from "./output-notices.ts";
import { PictureFiles, type PictureKind } from "./picture-file.ts";
import type { VideoInfo } from "./video-info.ts";
import type { WrittenFrame, WriteOptions, WrittenVideo } from "./writer.ts";

/**
 * Checks that an edit of `source` can be written to `output`, one PNG or JPEG, and returns a sentence for each thing of the
 * source that will not be in it.
 *
 * Throws a UserError of one sentence where it cannot: a source of several frames, another kind of file, a path that
 * cannot be written.
 */
export async function checkPicture(source: VideoInfo, output: string): Promise<readonly string[]> {
  kindOf(output);
  if (source.frames !== 1) {
    throw new UserError(
      `${output} is one picture, and ${source.name} has ${source.frames ?? "several"} frames: end the output with / for a folder of pictures.`,
    );
  }
  await requireWritable(output, source.path ?? undefined);
  return pictureNotices(source);
}

/** Writes the one frame of an edit as a picture, which appears whole or not at all. */
export async function writePicture(
  source: VideoInfo,
  output: string,
  frames: AsyncIterable<WrittenFrame>,
  { metadata, digitalSourceType, signal }: WriteOptions,
): Promise<WrittenVideo> {
  await checkPicture(source, output);
  return await writeAtomically(output, async (temporary) => {
    using files = await PictureFiles.open(kindOf(output), source, shownAspect(source));
    let count = 0;
    for await (const { rgb } of frames) {
      const text = { comment: metadata?.["comment"], digitalSourceType };
      await writeFile(temporary, await files.encode(rgb, text));
      count++;
    }
    signal?.throwIfAborted();
    if (count !== 1)
      throw new DataError(`${source.name} gave ${count} pictures: one was to be written.`);
    return { path: output, frames: count, audioStreams: 0, notices: [] };
  });
}

function kindOf(output: string): PictureKind {
  const ending = extname(output).toLowerCase();
  if (ending === ".png") return "png";
  if (ending === ".jpg" || ending === ".jpeg") return "jpg";
  throw new UserError(`${output}: pictures are written as .png or .jpg, name one of these.`);
}
