import { appendFile, open, readFile, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ClipFolder, clipFolder, makeClip, metadataOf } from "../../../test/support/clips.ts";
import { boxBytes } from "./boxes.ts";
import { containerFor } from "./containers.ts";
import { findContentCredentials } from "./credentials.ts";
import { planOutput } from "./output-plan.ts";
import { PictureFiles } from "./picture-file.ts";
import { probeVideo } from "./probe.ts";
import { readFrames } from "./reader.ts";
import { writeEdited } from "./writer.ts";
import { EDITED_BY_MODEL, embedXmp } from "./xmp.ts";

let folder: ClipFolder;
beforeAll(async () => {
  folder = await clipFolder();
});
afterAll(() => folder[Symbol.asyncDispose]());

const identity = Buffer.from("d8fec3d61b0e483c92975828877ec481", "hex");
const manifest = boxBytes("uuid", Buffer.concat([identity, Buffer.from("manifest")]));
const picture = new Uint8Array(16 * 16 * 3).fill(90);

async function pictureFile(kind: "png" | "jpg"): Promise<Buffer> {
  using files = await PictureFiles.open(kind, { width: 16, height: 16 }, { num: 1, den: 1 });
  return await files.encode(picture, { comment: "{}", digitalSourceType: EDITED_BY_MODEL });
}

describe("content credentials", () => {
  test("are found in mp4, AVI, PNG and JPEG, and nowhere else", async () => {
    const png = await pictureFile("png");
    const jpg = await pictureFile("jpg");
    await makeClip(folder.file("plain.mp4"));
    await makeClip(folder.file("plain.avi"));
    const [mp4, avi] = [
      await readFile(folder.file("plain.mp4")),
      await readFile(folder.file("plain.avi")),
    ];
    const chunk = Buffer.from("\0\0\0\x04caBXtext\0\0\0\0", "latin1");
    const segment = Buffer.from("\xff\xeb\0\x0cJP\0\x01\0\0\0\x01ab", "latin1");
    const files: readonly (readonly [string, Buffer, string | null])[] = [
      ["mp4", mp4, null],
      ["mp4", Buffer.concat([mp4, manifest]), "a uuid box"],
      ["mp4", Buffer.concat([mp4, boxBytes("jumb", Buffer.alloc(4))]), "a JUMBF box"],
      ["avi", avi, null],
      ["avi", Buffer.concat([avi, Buffer.from("C2PA\x02\0\0\0ab", "latin1")]), "a C2PA chunk"],
      ["png", png, null],
      ["png", Buffer.concat([png.subarray(0, 33), chunk, png.subarray(33)]), "a caBX chunk"],
      ["jpg", jpg, null],
      ["jpg", Buffer.concat([jpg.subarray(0, 2), segment, jpg.subarray(2)]), "an APP11 segment"],
      ["bin", Buffer.from("x"), null],
    ];
    for (const [index, [extension, bytes, where]] of files.entries()) {
      const path = folder.file(`${index}.${extension}`);
      await writeFile(path, bytes);
      await using file = await open(path);
      expect(await findContentCredentials(file), `file ${index}`).toBe(where);
    }
  });

  test("are said not to apply to an edit, and are not copied into it", async () => {
    const [path, output] = [folder.file("signed.mp4"), folder.file("edited.mp4")];
    await makeClip(path);
    await appendFile(path, manifest);
    const source = await probeVideo(path);
    expect((await planOutput(source, output)).notices).toEqual([
      "signed.mp4 carries content credentials (C2PA, a uuid box): they do not apply to the result and are left out",
    ]);
    await writeEdited(source, output, readFrames(path));
    expect((await probeVideo(output)).contentCredentials).toBeNull();
  });
});

describe("how the pictures came to be", () => {
  test.each(["mp4", "mov", "gif"])(
    "is in an XMP packet of a %s, which still reads",
    async (extension) => {
      const path = folder.file(`xmp.${extension}`);
      await makeClip(path);
      const frames = (await probeVideo(path)).frames;
      await embedXmp(path, containerFor(path), {
        digitalSourceType: EDITED_BY_MODEL,
        comment: "x".repeat(700),
      });
      const bytes = (await readFile(path)).toString("latin1");
      expect(bytes).toContain(`Iptc4xmpExt:DigitalSourceType="${EDITED_BY_MODEL}"`);
      expect(await probeVideo(path)).toMatchObject({ frames });
      const seen: number[] = [];
      for await (const { index } of readFrames(path)) seen.push(index);
      expect(seen).toHaveLength(frames!);
    },
  );

  test.each(["mkv", "webm"])("is a tag of a %s", async (extension) => {
    const [path, output] = [folder.file(`tag.${extension}`), folder.file(`tagged.${extension}`)];
    await makeClip(path);
    const options = { digitalSourceType: EDITED_BY_MODEL };
    await writeEdited(await probeVideo(path), output, readFrames(path), options);
    expect(await metadataOf(output)).toMatchObject({ DIGITAL_SOURCE_TYPE: EDITED_BY_MODEL });
  });

  test("is in every PNG and JPEG, beside the receipt", async () => {
    const png = (await pictureFile("png")).toString("latin1");
    expect(png).toContain("iTXtXML:com.adobe.xmp\0\0\0\0\0<?xpacket");
    expect(png).toContain("iTXtComment\0\0\0\0\0{}");
    const jpg = (await pictureFile("jpg")).toString("latin1");
    expect(jpg).toContain("http://ns.adobe.com/xap/1.0/\0<?xpacket");
    for (const file of [png, jpg]) expect(file).toContain(EDITED_BY_MODEL);
  });
});
