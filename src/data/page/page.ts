import { existsSync, readFileSync } from "node:fs";
import { basename, resolve } from "node:path";
import { writeFile } from "node:fs/promises";
import {
  clipName,
  dataFiles,
  readClips,
  SkippedVideo,
  stripPath,
  type ClipRecord,
  type ClipSettings,
} from "../clips/dataset.ts";
import { readJsonLines } from "../clips/json-lines.ts";
import { spread } from "../clips/sheet.ts";
import { perTask } from "../instructions/instruct.ts";
import { readInstructions, RejectedDraft, type InstructionRecord } from "../instructions/record.ts";
import { requireWritable, writeAtomically } from "../output-file.ts";
import { TASKS } from "../world/tasks.ts";
import { BASE_STYLE } from "./base-style.ts";
import { DOCUMENT_END, documentStart } from "./document.ts";
import { barList, escaped, histogram } from "./html.ts";
import { STYLE } from "./style.ts";

/** What the page shows of a data set. */
export interface PageContent {
  readonly title: string;
  readonly settings: ClipSettings;
  readonly clips: readonly ClipRecord[];
  readonly instructions: readonly InstructionRecord[];
  readonly skipped: readonly SkippedVideo[];
  readonly rejected: readonly RejectedDraft[];
  /** The JPEG of a clip's frames; undefined where it is gone. */
  readonly strip: (index: number) => Uint8Array | undefined;
  /** Clips that are shown at most. */
  readonly count: number;
}

/** Writes the page of a data set to `path`; throws a UserError where the folder holds none. */
export async function writePage(
  folder: string,
  path: string,
  count: number,
): Promise<{ clips: number; shown: number }> {
  const { settings, clips } = readClips(folder);
  const files = dataFiles(folder);
  await requireWritable(path);
  const text = pageOf({
    title: basename(resolve(folder)),
    settings,
    clips,
    instructions: readInstructions(folder, clips),
    skipped: readJsonLines(files.skipped, SkippedVideo),
    rejected: readJsonLines(files.rejected, RejectedDraft),
    strip: (index) => {
      const strip = stripPath(folder, index);
      return existsSync(strip) ? readFileSync(strip) : undefined;
    },
    count,
  });
  await writeAtomically(path, (temporary) => writeFile(temporary, text));
  return { clips: clips.length, shown: Math.min(count, clips.length) };
}

/** The page as one HTML text with everything in it: it asks nothing of any other file. */
export function pageOf(content: PageContent): string {
  const { title, clips, instructions, count } = content;
  const byClip = Map.groupBy(instructions, ({ clip }) => clip);
  const shown = spread(clips, count);
  const cards = shown.map((clip) => cardOf(clip, byClip.get(clip.index) ?? [], content.strip));
  return `${documentStart({ title: `${title}: clips and instructions`, style: BASE_STYLE + STYLE })}<main>
<h1>${escaped(title)}</h1>
${summaryOf(content)}
<div class="charts">
<section><h2>Instructions of each task</h2>${taskBars(instructions)}</section>
<section><h2>Words of an instruction</h2>${lengths(instructions.map(({ instruction }) => instruction))}</section>
<section><h2>Words of an output caption</h2>${lengths(instructions.map(({ outputCaption }) => outputCaption))}</section>
</div>
<p class="quiet">${shown.length === clips.length ? "All clips" : `${shown.length} of ${clips.length} clips, evenly from the first to the last`}</p>
${cards.join("\n")}
${listOf(
  "Videos left out",
  content.skipped.map(({ source, reason }) => `${source}: ${reason}`),
)}
${listOf("Instructions rejected or missing", content.rejected.map(rejectedText))}
</main>
${DOCUMENT_END}`;
}

function summaryOf({ settings, clips, instructions }: PageContent): string {
  const { frames, size, stride, model } = settings;
  const silent = clips.filter(({ caption }) => caption === "").length;
  const writers = [...new Set(instructions.map(({ by }) => by))].join(", ");
  const parts = [
    `${clips.length} clips of ${frames} frames (stride ${stride}), ${size} × ${size}, latents of ${model}`,
    instructions.length === 0
      ? "no instructions yet"
      : `${instructions.length} instructions by ${writers}`,
  ];
  const warning =
    silent === 0
      ? ""
      : `<p class="warn">Clips without a caption, which get no instructions: ${silent}</p>`;
  return `<p class="quiet">${escaped(parts.join(" · "))}</p>${warning}`;
}

function taskBars(instructions: readonly InstructionRecord[]): string {
  const counts = perTask(instructions);
  return barList(TASKS.map((task) => ({ label: task, value: counts[task] })));
}

function lengths(sentences: readonly string[]): string {
  const words = sentences.map((sentence) => sentence.split(/\s+/).length);
  return histogram(words, "words");
}

function cardOf(
  clip: ClipRecord,
  edits: readonly InstructionRecord[],
  strip: PageContent["strip"],
): string {
  const { index, caption, start, end, fps, width, height } = clip;
  const jpeg = strip(index);
  const picture = jpeg
    ? `<img alt="frames of clip ${index}" loading="lazy" src="data:image/jpeg;base64,${Buffer.from(jpeg).toString("base64")}">`
    : `<p class="warn">its picture is gone</p>`;
  const said = caption === "" ? `<span class="warn">no caption</span>` : escaped(caption);
  const origin = `${index} · ${clipName(clip)} · ${start.toFixed(2)}–${end.toFixed(2)} s · ${fps} fps · ${width} × ${height}`;
  return `<article>${picture}
<p class="caption">${said}</p>
<p class="origin">${escaped(origin)}</p>
${edits.length === 0 ? `<p class="quiet">no instructions</p>` : tableOf(edits)}
</article>`;
}

function tableOf(edits: readonly InstructionRecord[]): string {
  const rows = edits.map(
    ({ task, instruction, outputCaption }) =>
      `<tr><th>${task}</th><td>${escaped(instruction)}</td><td>${escaped(outputCaption)}</td></tr>`,
  );
  return `<table><thead><tr><th>task</th><th>instruction</th><th>output caption</th></tr></thead><tbody>${rows.join("")}</tbody></table>`;
}

function rejectedText({ clip, task, reason, instruction }: RejectedDraft): string {
  return `clip ${clip}, ${task}: ${reason}${instruction === null ? "" : ` (“${instruction}”)`}`;
}

function listOf(title: string, lines: readonly string[]): string {
  if (lines.length === 0) return "";
  const items = lines.map((line) => `<li>${escaped(line)}</li>`).join("");
  return `<details><summary>${title}: ${lines.length}</summary><ul>${items}</ul></details>`;
}
