import { readdir, readFile, stat } from "node:fs/promises";
import { join, relative } from "node:path";
import { DataError, UserError } from "../engine/errors.ts";
import { isRecord, jsonText } from "../engine/json.ts";
import { readHeader, type TensorEntry } from "../engine/safetensors-header.ts";
import { strengthsIn } from "../eve/model/lora-origin.ts";
import type { StrengthValues } from "../eve/adapters/strengths.ts";
import { isLoraFile } from "../models/lora-files/contents.ts";
import { loraSummary, type Counts } from "../models/lora-files/summary.ts";
import { byteSize } from "../engine/byte-size.ts";
import { type CliEvent, table } from "./output.ts";

/** What there is to say of a path: for programs, and for people. */
export interface Inspection {
  readonly events: readonly CliEvent[];
  readonly text: string;
}

/** Describes a model folder (its weight files, configuration and receipts) or one weight file. */
export async function describe(path: string): Promise<Inspection> {
  const stats = await stat(path).catch(() => undefined);
  if (stats === undefined) throw new UserError(`${path} does not exist`);
  if (stats.isDirectory()) return describeFolder(path);
  if (path.endsWith(".safetensors")) return describeWeights(path);
  throw new UserError(`${path} is neither a folder nor a .safetensors file`);
}

async function describeFolder(folder: string): Promise<Inspection> {
  const files = (await readdir(folder, { recursive: true })).toSorted();
  const weights = files.filter((file) => file.endsWith(".safetensors"));
  const records = files.filter((file) => file.endsWith(".json"));
  if (weights.length + records.length === 0) {
    throw new DataError(`${folder} holds no .safetensors and no .json file: it is no model folder`);
  }
  const fileEvents = weights.map((file) => weightFileEvent(join(folder, file), file));
  const recordEvents = await Promise.all(records.map((file) => recordEvent(folder, file)));
  const sections = [
    ...(weights.length > 0 ? [weightFilesText(fileEvents)] : []),
    ...recordEvents.map(recordText),
  ];
  return { events: [...fileEvents, ...recordEvents], text: sections.join("\n\n") };
}

type WeightFileEvent = ReturnType<typeof weightFileEvent>;

function weightFileEvent(path: string, name: string) {
  const { tensors, metadata, fileBytes } = readHeader(path);
  const entries = [...tensors.values()];
  const parameters = entries.reduce((sum, entry) => sum + elements(entry), 0);
  const dtypes = [...new Set(entries.map(({ format }) => format))];
  return {
    type: "file",
    path: name,
    bytes: fileBytes,
    tensors: entries.length,
    parameters,
    dtypes,
    metadata,
  } as const;
}

function weightFilesText(files: readonly WeightFileEvent[]): string {
  const sum = (pick: (file: WeightFileEvent) => number) =>
    files.reduce((total, file) => total + pick(file), 0);
  const rows = files.map(({ path, tensors, parameters, dtypes, bytes }) => [
    path,
    count(tensors),
    count(parameters),
    byteSize(bytes),
    dtypes.join(" "),
  ]);
  const total = [
    "in all",
    count(sum(({ tensors }) => tensors)),
    count(sum(({ parameters }) => parameters)),
    byteSize(sum(({ bytes }) => bytes)),
  ];
  return table([["file", "tensors", "parameters", "size", "dtype"], ...rows, total]);
}

async function recordEvent(folder: string, file: string) {
  const path = join(folder, file);
  return { type: "record", path: relative(folder, path), content: await readJson(path) } as const;
}

async function readJson(path: string): Promise<unknown> {
  const text = await readFile(path, "utf8");
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new DataError(`${path}: expected JSON, got text that is not`, { cause });
  }
}

const RECORD_WIDTH = 100;

/** A record's first level, one line per field. */
function recordText({ path, content }: { path: string; content: unknown }): string {
  if (!isRecord(content)) return `${path}\n  ${cut(jsonText(content))}`;
  const lines = table(
    Object.entries(content).map(([key, value]) => [`  ${key}`, cut(jsonText(value))]),
    { numbers: "left" },
  );
  return `${path}\n${lines}`;
}

function cut(text: string): string {
  return text.length > RECORD_WIDTH ? `${text.slice(0, RECORD_WIDTH - 1)}…` : text;
}

function describeWeights(path: string): Inspection {
  const file = weightFileEvent(path, path);
  const tensors = [...readHeader(path).tensors].map(
    ([name, entry]) =>
      ({
        type: "tensor",
        name,
        dtype: entry.format,
        shape: entry.shape,
        parameters: elements(entry),
      }) as const,
  );
  const rows = tensors.map(({ name, dtype, shape, parameters }) => [
    name,
    dtype,
    `[${shape.join(" ")}]`,
    count(parameters),
  ]);
  const sections = [
    table([["tensor", "dtype", "shape", "parameters"], ...rows]),
    ...Object.entries(file.metadata).map(([key, value]) => `${key}: ${cut(oneLine(value))}`),
    `${count(file.tensors)} tensors, ${count(file.parameters)} parameters, ${byteSize(file.bytes)}`,
  ];
  const lora = isLoraFile(tensors.map(({ name }) => name)) ? [loraEvent(path, file.metadata)] : [];
  const text = [...sections, ...lora.map(loraText)].join("\n");
  return { events: [file, ...lora, ...tensors], text };
}

function loraEvent(path: string, metadata: Readonly<Record<string, string>>) {
  return { type: "lora", ...loraSummary(path), ...strengthsIn(metadata) } as const;
}

/** What a LoRA file adapts, one line per question; why it cannot be loaded, where it cannot. */
function loraText(lora: ReturnType<typeof loraEvent>): string {
  const { unet, textEncoder } = lora.layers;
  const what =
    lora.dialects.length > 0 ? `LoRA in the form of ${lora.dialects.join(" and ")}` : "adapter";
  const lines = table(
    [
      [
        "  layers",
        `${unet} of a U-Net, ${textEncoder} of a text encoder; convolutions among them: ${lora.convolutions}`,
      ],
      ["  rank", countsText(lora.ranks)],
      ["  alpha", countsText(lora.alphas)],
      ["  targets", countsText(lora.targets)],
      ...strengthRow("video adapter", lora.videoStrength),
      ...strengthRow("edit adapter", lora.editStrength),
    ],
    { numbers: "left" },
  );
  if (lora.fault === null) return `${what}\n${lines}`;
  const fault = `cannot be loaded: ${lora.fault}`;
  return unet + textEncoder === 0 ? `${what}\n  ${fault}` : `${what}\n${lines}\n  ${fault}`;
}

/** How strongly an aligned student hears an adapter, where that is told. */
function strengthRow(adapter: string, strength: number | StrengthValues | undefined): string[][] {
  if (strength === undefined) return [];
  const all = typeof strength === "number" ? [strength] : Object.values(strength);
  const [least, most] = [Math.min(...all), Math.max(...all)].map((value) => value.toFixed(2));
  const mean = (all.reduce((sum, value) => sum + value, 0) / all.length).toFixed(2);
  const spread = all.length === 1 ? "" : ` on average, ${least} to ${most} at ${all.length} places`;
  return [[`  ${adapter}`, `heard at ${mean}${spread}`]];
}

/** e.g. `4 (32 layers), 8 (16)`, the commonest first. */
function countsText(counts: Counts): string {
  const sorted = Object.entries(counts).toSorted(([, a], [, b]) => b - a);
  return sorted.map(([value, n], i) => `${value} (${n}${i === 0 ? " layers" : ""})`).join(", ");
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ");
}

function elements({ shape }: TensorEntry): number {
  return shape.reduce((product, size) => product * size, 1);
}

function count(n: number): string {
  return n.toLocaleString("en-US");
}
