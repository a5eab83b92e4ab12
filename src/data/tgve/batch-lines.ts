import { TASKS, type Task } from "../world/tasks.ts";
import { editPath, inputOf, type TgveDataset } from "./dataset.ts";

/** One edit of the benchmark as a line of `eve batch`; done in the folder of a submission, it makes a part of one. */
export interface TgveLine {
  readonly input: string;
  readonly instruction: string;
  readonly caption: string;
  readonly task?: Task;
  readonly output: string;
  readonly pictures: "tgve";
}

/**
 * All edits of the benchmark, told by their instructions and what the result shows, as in the paper (§4.1).
 *
 * Where there are no instructions, the caption of the result stands for them, as TGVE has it. Throws a UserError where a
 * video is missing.
 */
export function tgveLines(dataset: TgveDataset): TgveLine[] {
  return dataset.videos.flatMap((video) => {
    const input = inputOf(dataset, video);
    return video.edits.map((edit) => {
      const task = TASKS.find((name) => name === edit.kind);
      return {
        input,
        instruction: edit.instruction ?? edit.output,
        caption: edit.output,
        ...(task && { task }),
        output: `${editPath(video, edit)}/`,
        pictures: "tgve" as const,
      };
    });
  });
}
