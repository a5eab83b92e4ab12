import { UserError } from "../../engine/errors.ts";
import type { EncodingChoice } from "./containers.ts";
import { folderNotices } from "./output-notices.ts";
import { planOutput } from "./output-plan.ts";
import {
  isPictureFolder,
  type PictureLayout,
  requirePictureFolder,
  writePictures,
} from "./picture-folder.ts";
import { isPictureFile } from "./picture-source.ts";
import { requireSound } from "./sound-check.ts";
import type { VideoInfo } from "./video-info.ts";
import { checkPicture, writePicture } from "./written-picture.ts";
import { type WrittenFrame, writeEdited, type WriteOptions, type WrittenVideo } from "./writer.ts";

/** How an edit is to be stored, as far as its name does not say. */
export interface OutputChoice extends EncodingChoice {
  /** How a folder of pictures is laid out; `png` by default. */
  readonly pictures?: PictureLayout | undefined;
}

/**
 * Checks that an edit of `source` can be written to `output`, a video, a picture or a folder of pictures, and returns a sentence for each
 * thing of the source that will not be in it. Costs next to nothing: a moment of the sound is copied, to see that it can be.
 *
 * Throws a UserError of one sentence for what cannot be written.
 */
export async function checkOutput(
  source: VideoInfo,
  output: string,
  choice: OutputChoice = {},
): Promise<readonly string[]> {
  const isFolder = isPictureFolder(output);
  if (!isFolder && choice.pictures !== undefined)
    throw new UserError(`${output} is one file: end it with / for a folder of pictures.`);
  if (!isFolder && !isPictureFile(output)) {
    const { notices } = await planOutput(source, output, choice);
    await requireSound(source, output, choice);
    return notices;
  }
  if (choice.codec !== undefined || choice.quality !== undefined) {
    const what = isFolder ? "a folder of pictures, which have" : "a picture, which has";
    throw new UserError(`${output} is ${what} no video codec: leave out codec and quality.`);
  }
  if (!isFolder) return await checkPicture(source, output);
  await requirePictureFolder(output, source.path);
  return folderNotices(source);
}

/** Writes an edit of `source` to a file or a folder; see `writeEdited`, `writePicture` and `writePictures`. */
export async function writeOutput(
  source: VideoInfo,
  output: string,
  frames: AsyncIterable<WrittenFrame>,
  { pictures, ...options }: WriteOptions & OutputChoice = {},
): Promise<WrittenVideo> {
  if (isPictureFolder(output))
    return await writePictures(source, output, frames, pictures ?? "png", options);
  return isPictureFile(output)
    ? await writePicture(source, output, frames, options)
    : await writeEdited(source, output, frames, options);
}
