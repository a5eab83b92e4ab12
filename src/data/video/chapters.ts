import { type FileHandle, open } from "node:fs/promises";
import { hasBox, readBytes } from "./boxes.ts";
import { endOfElement, segmentStart } from "./matroska-size.ts";

/** Whether a file has a table of chapters: Nero's in mp4 and mov, Matroska's before its first pictures. */
export async function hasChapters(path: string): Promise<boolean> {
  await using file = await open(path);
  const { size } = await file.stat();
  const isMp4 = (await readBytes(file, 4, 4)).toString("latin1") === "ftyp";
  if (isMp4) return await hasBox(file, ["moov", "udta", "chpl"], 0, size);
  return await hasMatroskaChapters(file, size);
}

const chaptersId = "1043a770";
const clusterId = "1f43b675";

async function hasMatroskaChapters(file: FileHandle, size: number): Promise<boolean> {
  let at = segmentStart(await readBytes(file, 0, 4096));
  while (at !== undefined && at < size) {
    const head = await readBytes(file, at, 12);
    const first = head[0];
    if (first === undefined || first === 0) return false;
    const idLength = Math.clz32(first) - 23;
    const id = head.toString("hex", 0, idLength);
    if (id === chaptersId) return true;
    if (id === clusterId) return false;
    const end = endOfElement(head, idLength);
    at = end === undefined ? undefined : at + end;
  }
  return false;
}
