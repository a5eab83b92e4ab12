import type { FileHandle } from "node:fs/promises";
import { boxesOf, readBytes } from "./boxes.ts";

/** The identity of the mp4 `uuid` box that holds a C2PA manifest (C2PA 2.1, A.5). */
const c2paBox = "d8fec3d61b0e483c92975828877ec481";

/**
 * Where a file carries content credentials (a C2PA manifest), in words, or `null` if it has none.
 *
 * Looks into mp4 and mov (a `uuid` box), AVI (a `C2PA` chunk), PNG (`caBX`) and JPEG (APP11); the manifest is not
 * checked. An edit changes the pictures, so the manifest's hashes no longer fit them.
 */
export async function findContentCredentials(file: FileHandle): Promise<string | null> {
  const { size } = await file.stat();
  const head = await readBytes(file, 0, 12);
  if (head.toString("latin1", 4, 8) === "ftyp") return await inBoxes(file, size);
  if (head.toString("latin1", 0, 4) === "RIFF") return await inRiff(file, size);
  if (head.toString("latin1", 1, 4) === "PNG") return await inPng(file, size);
  return head.length >= 2 && head.readUInt16BE(0) === 0xffd8 ? await inJpeg(file, size) : null;
}

async function inBoxes(file: FileHandle, size: number): Promise<string | null> {
  for await (const { type, contents } of boxesOf(file, 0, size)) {
    if (type === "jumb") return "a JUMBF box";
    if (type !== "uuid") continue;
    if ((await readBytes(file, contents, 16)).toString("hex") === c2paBox) return "a uuid box";
  }
  return null;
}

async function inRiff(file: FileHandle, size: number): Promise<string | null> {
  for (let at = 12; at + 8 <= size;) {
    const head = await readBytes(file, at, 8);
    if (head.length < 8) return null;
    if (head.toString("latin1", 0, 4) === "C2PA") return "a C2PA chunk";
    const length = head.readUInt32LE(4);
    at += 8 + length + (length % 2);
  }
  return null;
}

async function inPng(file: FileHandle, size: number): Promise<string | null> {
  for (let at = 8; at + 12 <= size;) {
    const head = await readBytes(file, at, 8);
    if (head.length < 8) return null;
    if (head.toString("latin1", 4, 8) === "caBX") return "a caBX chunk";
    at += 12 + head.readUInt32BE(0);
  }
  return null;
}

async function inJpeg(file: FileHandle, size: number): Promise<string | null> {
  const startOfScan = 0xda;
  for (let at = 2; at + 4 <= size;) {
    const head = await readBytes(file, at, 12);
    if (head.length < 4 || head[0] !== 0xff || head[1] === startOfScan) return null;
    // APP11 holds JUMBF boxes after "JP", an instance and a packet number.
    if (head[1] === 0xeb && head.toString("latin1", 4, 6) === "JP") return "an APP11 segment";
    at += 2 + head.readUInt16BE(2);
  }
  return null;
}
