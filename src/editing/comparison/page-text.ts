import { basename } from "node:path";
import type { PageRow, PageText } from "../../data/comparison/page-document.ts";
import type { VideoInfo } from "../../data/video/video-info.ts";
import { jsonOf } from "../../engine/json.ts";
import type { Changes } from "../report/changes.ts";
import { lorasNoted, type Receipt, receiptComment } from "../report/receipt.ts";
import { ALL_FRAMES } from "../settings/span.ts";

/** Letters of a hash that tell one file from another. */
const HASH_LENGTH = 12;

/** What a page says of an edit: all that the receipt tells, but no path beyond a name, which is nobody else's business. */
export function pageText(receipt: Receipt, info: VideoInfo): PageText {
  const { settings, changes, seconds, output } = receipt;
  const { instruction, further } = settings;
  const { frames, digitalSourceType: _, path: _path, ...stored } = output;
  const told = { changes, output: { frames, ...stored }, seconds };
  return {
    instructions: [instruction, ...further],
    origin: originOf(receipt, info),
    figures: changes === undefined ? [] : figuresOf(changes),
    groups: [
      { title: "Settings", rows: settingRows(receipt) },
      { title: "Model and program", rows: programRows(receipt) },
    ],
    receipt: { ...Object(jsonOf(receiptComment(receipt))), ...told },
  };
}

function originOf({ input, output }: Receipt, { width, height, frames }: VideoInfo): string {
  const parts = [
    output.path === ""
      ? basename(input.path)
      : `${basename(input.path)} → ${basename(output.path)}`,
    `${width} × ${height}`,
    ...(frames === null || frames === 1 ? [] : [`${frames} frames`]),
  ];
  return parts.join(" · ");
}

function figuresOf({ frames, changedShare, meanDifference, flicker }: Changes): PageRow[] {
  const steadiness =
    flicker.source > 0
      ? `${(flicker.result / flicker.source).toFixed(2)} × the input's differences`
      : `differences of ${flicker.result.toFixed(1)} of 255, the input has none`;
  return [
    ["pixels", `${(100 * changedShare).toFixed(1)} % by more than 25 of 255`],
    ["on average", `${meanDifference.toFixed(1)} of 255`],
    ...(frames < 2 ? [] : [["frame to frame", steadiness] as const]),
  ];
}

function settingRows({ settings, mask, seconds }: Receipt): PageRow[] {
  const { caption, task = "", guidance, feather, frames, steps, temperature, seed } = settings;
  const { strength, method, noise, sampler, window, overlap, detail, deflicker } = settings;
  const scales = Object.entries(guidance).map(([name, scale]) => `${name} ${scale}`);
  const rows: [string, string | number | undefined][] = [
    ["seed", seed],
    ["temperature", temperature],
    ["strength", strength],
    ["guidance", scales.join(", ")],
    ["task", task],
    ["caption", caption],
    ["frames", frames === ALL_FRAMES ? "all" : frames],
    ["mask", mask === undefined ? "" : basename(settings.mask)],
    ["feather", feather === 0 ? "" : `${feather} pixels`],
    ["method", method],
    ["steps", steps],
    ["sampler", sampler],
    ["noise", temperature === 0 ? "" : noise],
    ["window", window === undefined ? "" : `${window} frames, ${overlap} shared`],
    ["detail", detail],
    ["deflicker", deflicker],
    ["took", `${seconds.toFixed(1)} s`],
  ];
  return rows.flatMap(([label, value]): PageRow[] =>
    value === undefined || value === "" ? [] : [[label, String(value)]],
  );
}

function programRows({ model, versions, input }: Receipt): PageRow[] {
  const loras = lorasNoted(model).map(({ path, strength }) =>
    strength === undefined ? basename(path) : `${basename(path)} at ${strength}`,
  );
  return [
    ["model", `${model.name}, ${model.hash.slice(0, HASH_LENGTH)}`],
    ...loras.map((lora) => ["LoRA", lora] as const),
    ...Object.entries(versions).map(
      ([name, version]) => [name === "openEve" ? "Open EVE" : name, version] as const,
    ),
    ["input", `${basename(input.path)}, ${input.sha256.slice(0, HASH_LENGTH)}`],
  ];
}
