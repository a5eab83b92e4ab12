import { mkdirSync } from "node:fs";
import { extname } from "node:path";
import { defineCommand } from "citty";
import type { ClipSettings } from "../../data/clips/dataset.ts";
import type { PrepareEvent, PreparePlan } from "../../data/clips/prepare.ts";
import type { EncodeClip } from "../../data/clips/store.ts";
import type { ClipRequest } from "../../presets/clip-encoder.ts";
import { DataError } from "../../engine/errors.ts";
import { numberOption, optionalNumber } from "../arguments.ts";
import { byteSize } from "../../engine/byte-size.ts";
import { Reporter } from "../output.ts";
import { JobProgress } from "../job-progress.ts";
import type { VerbContext } from "../verb.ts";

export default defineCommand({
  meta: {
    name: "prepare",
    description:
      "Cut, fit and encode clips of videos into a data set; the same command again makes what is missing",
  },
  args: {
    videos: {
      type: "positional",
      valueHint: "path…",
      description:
        "folders of videos, searched through, and video files; a folder that holds pictures alone is a video",
    },
    out: {
      type: "string",
      alias: "o",
      required: true,
      valueHint: "dir",
      description: "the data set's folder, e.g. data/mine",
    },
    model: {
      type: "string",
      valueHint: "dir",
      description:
        "whose autoencoder makes the latents; open: the public one (default: models/tiny)",
    },
    frames: {
      type: "string",
      valueHint: "n",
      description:
        "frames of a clip (default: the window of the model's video adapter; 8 for open)",
    },
    size: {
      type: "string",
      valueHint: "pixels",
      description: "side of the square that frames are fitted into (default: the model's)",
    },
    stride: {
      type: "string",
      default: "1",
      valueHint: "n",
      description: "take every n-th frame; 1 is what an edit sees",
    },
    "clips-per-video": {
      type: "string",
      default: "1",
      valueHint: "n",
      description: "clips of each video, evenly spaced, where it is long enough",
    },
    captions: {
      type: "string",
      valueHint: "file",
      description:
        "captions as .jsonl or .csv with clip and caption; others come from a .txt beside the video, or beside or in the folder",
    },
    "dry-run": { type: "boolean", description: "say what would be made, and write nothing" },
    json: { type: "boolean", description: "print one JSON object per event" },
  },
  async run({ args, data }) {
    const { signal }: VerbContext = data;
    const report = new Reporter(args);
    const whole = { min: 1, integer: true };
    const request = {
      frames: optionalNumber("--frames", args.frames, { ...whole, max: 256 }),
      size: optionalNumber("--size", args.size, { ...whole, max: 2048 }),
      stride: numberOption("--stride", args.stride, { ...whole, max: 1000 }),
      clipsPerVideo: numberOption("--clips-per-video", args["clips-per-video"], {
        ...whole,
        max: 64,
      }),
    };
    const { findVideos } = await import("../../data/clips/find-videos.ts");
    const { videos, passedOver } = await findVideos(args._);
    if (passedOver.length > 0) {
      const event = { type: "files-passed-over", count: passedOver.length } as const;
      report.note(event, await passedOverText(passedOver));
    }
    const { readCaptions } = await import("../../data/clips/captions.ts");
    const captions = args.captions === undefined ? [] : readCaptions(args.captions);
    const { settings, openEncoder } = await preparationFor(args.model, request);
    const folder = args.out;
    const { planPreparation, prepareClips } = await import("../../data/clips/prepare.ts");
    const common = { folder, videos, settings, captions, signal };
    if (args["dry-run"]) {
      const progress = new JobProgress("looking", videos.length);
      const plan = await planPreparation(common, (done) => report.progress(progress.at(done)));
      report.event({ type: "plan", folder, ...plan, settings }, planText(plan, settings));
      return;
    }
    const { checkSettings, dataFiles } = await import("../../data/clips/dataset.ts");
    checkSettings(folder, settings);
    const { claimLock } = await import("../../engine/lock.ts");
    mkdirSync(folder, { recursive: true });
    using _ = claimLock(dataFiles(folder).lock, "at work");
    const encode = openEncoder();
    const progress = new JobProgress("preparing", videos.length);
    for await (const event of prepareClips({ ...common, encode })) {
      show(report, event, progress);
      if (event.type === "prepared" && event.clips === 0)
        throw new DataError(
          `${folder} has no clip: no video could be used, as the lines above say`,
        );
    }
  },
});

/** How clips are made for a model: the public weights, or a folder. */
async function preparationFor(
  given: string | undefined,
  request: ClipRequest,
): Promise<{ settings: ClipSettings; openEncoder: () => EncodeClip }> {
  const encoder = await import("../../presets/clip-encoder.ts");
  const { OPEN_NAME } = await import("../../eve/open/open-name.ts");
  if (given === OPEN_NAME) {
    const { openHub } = await import("../../hub/hub.ts");
    const { locateOpenModel } = await import("../../hub/open-weights.ts");
    const folders = await locateOpenModel(openHub());
    return {
      settings: encoder.openClipSettings(folders, request),
      openEncoder: () => encoder.openPublicClipEncoder(folders),
    };
  }
  const { modelPath } = await import("../../editing/settings/model-path.ts");
  const model = modelPath(given);
  return {
    settings: encoder.clipSettings(model, request),
    openEncoder: () => encoder.openClipEncoder(model),
  };
}

function show(report: Reporter, event: PrepareEvent, progress: JobProgress): void {
  switch (event.type) {
    case "prepare-started": {
      const kept = event.kept === 0 ? "" : `, ${event.kept} clips are there already`;
      return report.event({ ...event }, `${event.videos} videos into ${event.folder}${kept}`);
    }
    case "video-done":
      if (report.json) return report.event({ ...event });
      return report.progress({ ...progress.at(event.done), detail: `${event.clips} clips` });
    case "video-skipped":
      return report.event({ ...event }, `skipped ${event.source}: ${event.reason}`);
    case "precision-warning":
    case "caption-warning":
      return report.warn(event.message);
    case "prepared":
      return report.event({ ...event }, preparedText(event));
  }
}

function preparedText({
  folder,
  clips,
  added,
  skipped,
  withoutCaption,
  sheet,
}: Extract<PrepareEvent, { type: "prepared" }>): string {
  const lines = [`${folder}: ${clips} clips, ${added} of them new, ${skipped} skipped`];
  if (withoutCaption.length > 0) {
    const names = withoutCaption.slice(0, 5).join(", ");
    const more = withoutCaption.length > 5 ? " …" : "";
    lines.push(`without a caption: ${withoutCaption.length} clips (${names}${more})`);
  }
  if (sheet !== null)
    lines.push(`look at ${sheet}, then: ./eve data instruct ${folder} --templates`);
  return lines.join("\n");
}

async function passedOverText(files: readonly string[]): Promise<string> {
  const counts = new Map<string, number>();
  for (const file of files) {
    const ending = extname(file).toLowerCase() || "without an ending";
    counts.set(ending, (counts.get(ending) ?? 0) + 1);
  }
  const most = [...counts].toSorted(([, a], [, b]) => b - a).slice(0, 5);
  const kinds = most.map(([ending, count]) => `${count} ${ending}`).join(", ");
  const { isPictureFile } = await import("../../data/video/picture-source.ts");
  const pictures = files.some(isPictureFile)
    ? "; pictures are one if a folder holds nothing else"
    : "";
  return `passed over ${files.length} files that are no videos by their names (${kinds}${counts.size > 5 ? " …" : ""}): name those that are${pictures}`;
}

function planText(
  { videos, clips, missing, skipped }: PreparePlan,
  { frames, size, stride }: ClipSettings,
): string {
  const pixels = byteSize(missing * frames * size * size * 3);
  return [
    ...skipped.map(({ source, reason }) => `would skip ${source}: ${reason}`),
    `${videos} videos give ${clips} clips of ${frames} frames (stride ${stride}) of ${size} × ${size}, ${missing} to be made from ${pixels} of pixels`,
  ].join("\n");
}
