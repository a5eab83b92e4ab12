import type { IterationShape, MemoryPlan } from "../../presets/open-memory.ts";
import { partSize, type TrainConfig } from "../../training/config.ts";
import { byteSize } from "../../engine/byte-size.ts";
import type { Reporter } from "../output.ts";

/** Frames and side of clips where no data set says: what `eve data prepare --model open` makes. */
const USUAL = { frames: 8, size: 512 };

/** Shows what an iteration of the open preset's distillation takes on a GPU; loads no weights. A UserError for clips that do not fit. */
export async function showOpenPlan(config: TrainConfig, report: Reporter): Promise<void> {
  const { DistillationSettings } = await import("../../training/stages/distillation-settings.ts");
  const { openMemoryPlan } = await import("../../presets/open-memory.ts");
  const settings = DistillationSettings.parse(config.stage);
  const { readClips } = await import("../../data/clips/dataset.ts");
  const { data } = settings;
  const { frames, size } = data === null ? USUAL : readClips(data).settings;
  const { publicLimits, requireShape } = await import("../../presets/open-needs.ts");
  if (data !== null) requireShape(data, { frames, size }, publicLimits());
  const shape = { clips: partSize(config), frames, size };
  const plan = openMemoryPlan(shape, settings);
  report.event({ type: "memory-plan", ...shape, ...plan, config }, planText(shape, plan));
}

/** The plan as a table, its verdict last. */
export function planText(
  { clips, frames, size }: IterationShape,
  { parts, totalBytes, gpuBytes, fits }: MemoryPlan,
): string {
  const rows = parts.map(({ name, bytes, type }) => {
    const label = type === "held" ? name : `at one time: ${name}`;
    return [label, byteSize(bytes)] as const;
  });
  const all = [
    ...rows,
    ["in all, with the largest of what comes one at a time", byteSize(totalBytes)] as const,
  ];
  const width = Math.max(...all.map(([label]) => label.length));
  const verdict = fits
    ? `fits a GPU of ${byteSize(gpuBytes)}`
    : `does not fit a GPU of ${byteSize(gpuBytes)}: prepare clips of fewer frames or a smaller size, or lower batch`;
  return [
    `one iteration on ${clips === 1 ? "a clip" : `${clips} clips`} of ${frames} frames of ${size} × ${size}:`,
    ...all.map(([label, figure]) => `  ${label.padEnd(width)}  ${figure.padStart(8)}`),
    verdict,
  ].join("\n");
}
