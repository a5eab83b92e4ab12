import { expect, test } from "vitest";
import { BF16_BATCHES, relativeError } from "../../../test/support/difference.ts";
import { SMALL_AUTOENCODER } from "../../../test/support/small-model.ts";
import { temporaryFolder } from "../../../test/support/temporary-folder.ts";
import { Rng } from "../../engine/random.ts";
import type { Tensor } from "../../engine/tensor.ts";
import { decodeLatents } from "../../eve/model/coding.ts";
import { Autoencoder } from "../../models/vae/autoencoder.ts";
import { toBytes } from "../pixels.ts";
import { openDecodedEdits, openDrawnEdits, type DecodedEditSource } from "./drawn-edits.ts";
import { encodeFrames } from "./encode-frames.ts";
import type { EditText } from "./latents.ts";
import { draw as triplet } from "./triplet-items.ts";

const FROM = 3;
const autoencoder = new Autoencoder(Rng.seed(1), SMALL_AUTOENCODER);
const told: (readonly EditText[])[] = [];
/** A model that draws the negative of its input. */
const source: DecodedEditSource = {
  folder: temporaryFolder(),
  autoencoder,
  autoencoderHash: "abc",
  split: "validation",
  size: 32,
  count: 2,
  from: FROM,
  drawnBy: "nobody",
  decodedBy: "me",
  draw: (input, texts) => {
    told.push(texts);
    return input.mul(-1);
  },
};
const items = [0, 1].map((index) => triplet({ split: "validation" }, FROM + index, 32));
const bytesOf = (pictures: Tensor): Uint8Array => new Uint8Array(pictures.to("uint8").toBytes());

test("drawn edits are what a model draws of each input, beside what is right, from any edit on", async () => {
  const cache = await openDrawnEdits(source);
  const texts = items.map(({ text }) => text);
  expect([0, 1].map((index) => cache.text(index))).toEqual(texts);
  expect(told).toEqual([texts]);
  for (const [index, { frames }] of items.entries()) {
    const [before, after] = frames.map((frame) => encodeFrames(autoencoder, [frame], 32));
    expect(relativeError(cache.gather("drawn", [index]), before!.mul(-1))).toBeLessThan(
      BF16_BATCHES,
    );
    expect(relativeError(cache.gather("encoded", [index]), after!)).toBeLessThan(BF16_BATCHES);
    expect(bytesOf(cache.gather("picture", [index]))).toEqual(Uint8Array.from(frames[1]!));
  }
});

test("decoded edits are the pictures of the input, its reconstruction, what was drawn and what is right", async () => {
  const cache = await openDecodedEdits(source);
  const drawn = await openDrawnEdits(source);
  for (const [index, { frames, text }] of items.entries()) {
    const decoded = (latents: Tensor): Uint8Array =>
      toBytes(decodeLatents(autoencoder, latents, 1))[0]!;
    const wanted = {
      source: Uint8Array.from(frames[0]!),
      reconstruction: decoded(encodeFrames(autoencoder, [frames[0]!], 32)),
      edited: decoded(drawn.gather("drawn", [index])),
      picture: Uint8Array.from(frames[1]!),
    };
    for (const [name, picture] of Object.entries(wanted)) {
      const found = bytesOf(cache.gather(name, [index]));
      const furthest = Math.max(...found.map((value, at) => Math.abs(value - picture[at]!)));
      // batches of another size round elsewhere, in bf16 by a few levels
      expect(furthest, name).toBeLessThanOrEqual(name === "source" || name === "picture" ? 0 : 8);
    }
    expect(cache.text(index)).toEqual(text);
  }
});

test("edits that others draw or decode, or from another number on, are drawn again", async () => {
  const folder = temporaryFolder();
  const pieces: number[] = [];
  const draw: DecodedEditSource["draw"] = (input) => {
    pieces.push(input.shape[0]!);
    return input;
  };
  const own = { ...source, folder, count: 1, draw };
  await openDrawnEdits(own);
  await openDrawnEdits(own);
  expect(pieces).toHaveLength(1);
  await openDrawnEdits({ ...own, drawnBy: "somebody" });
  expect(pieces).toHaveLength(2);
  const later = await openDrawnEdits({ ...own, from: FROM + 1 });
  expect(later.text(0)).toEqual(items[1]!.text);
  const edited = async (by: DecodedEditSource): Promise<Uint8Array> =>
    bytesOf((await openDecodedEdits(by)).gather("edited", [0]));
  const other = new Autoencoder(Rng.seed(2), SMALL_AUTOENCODER);
  const before = await edited(own);
  expect(await edited({ ...own, autoencoder: other, decodedBy: "another" })).not.toEqual(before);
  expect(await edited(own)).toEqual(before);
});
