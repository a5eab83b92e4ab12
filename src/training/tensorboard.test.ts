import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { crc32c, maskedCrc32c } from "./crc32c.ts";
import { EventFile } from "./tensorboard.ts";

test("the checksum is that of RFC 3720", () => {
  expect(crc32c(Buffer.from("123456789"))).toBe(0xe3069283);
  expect(crc32c(Buffer.alloc(32))).toBe(0x8a9136aa);
  expect(crc32c(Buffer.alloc(32, 0xff))).toBe(0x62a8ab43);
});

/** The frames of an event file, after checking their checksums. */
function framesOf(file: Buffer): Buffer[] {
  const frames: Buffer[] = [];
  for (let at = 0; at < file.length;) {
    const length = Number(file.readBigUInt64LE(at));
    const data = file.subarray(at + 12, at + 12 + length);
    expect(file.readUInt32LE(at + 8)).toBe(maskedCrc32c(file.subarray(at, at + 8)));
    expect(file.readUInt32LE(at + 12 + length)).toBe(maskedCrc32c(data));
    frames.push(data);
    at += length + 16;
  }
  return frames;
}

function written(write: (events: EventFile) => void): Buffer {
  const folder = mkdtempSync(join(tmpdir(), "events-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  using events = new EventFile(folder, 299, () => 1700000000.5);
  write(events);
  return readFileSync(events.path);
}

test("a scalar is written as tensorboard 2.20's own protocol buffers and framing write it", () => {
  const file = written((events) => events.scalars(300, { "loss/error": 0.25 }));
  const expected =
    "2100000000000000017becf60900002040fc54d94110ac022a130a110a0a6c6f73732f6572726f72150000803e953754fa";
  expect(file.toString("hex").endsWith(expected)).toBe(true);
});

test("a file opens with its version and the step at which the session starts", () => {
  const [version, start] = framesOf(written(() => {}));
  expect(version?.toString("latin1").endsWith("\x1a\x0dbrain.Event:2")).toBe(true);
  expect(start?.subarray(9).toString("hex")).toBe("10ac023a020801");
});

test("a picture carries its size and the bytes of its file", () => {
  const png = Buffer.from([1, 2, 3]);
  const frames = framesOf(
    written((events) => events.image(1, "a", { png, width: 300, height: 2 })),
  );
  expect(frames[2]?.subarray(11).toString("hex")).toBe(
    "2a130a110a0161220c080210ac0218032203010203",
  );
});
