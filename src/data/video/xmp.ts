import { appendFile, readFile, writeFile } from "node:fs/promises";
import { boxBytes } from "./boxes.ts";
import type { Container } from "./containers.ts";

/** IPTC's word for pictures that were made by a camera or a person and then changed by a trained model. */
export const EDITED_BY_MODEL =
  "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia";

/** The identity of the `uuid` box that holds XMP in an mp4 (XMP specification, part 3). */
const xmpBox = Buffer.from("be7acfcb97a942e89c71999491e3afac", "hex");

/** An XMP packet that says how the pictures came to be: IPTC's digital source type, and by which program. */
export function xmpPacket(digitalSourceType: string): string {
  return `<?xpacket begin="\uFEFF" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/"
 xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
 xmp:CreatorTool="Open EVE" Iptc4xmpExt:DigitalSourceType="${digitalSourceType}"/>
</rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>`;
}

/** Puts an XMP packet, and for GIF a comment, into a finished file, where its container has a place for them. */
export async function embedXmp(
  path: string,
  { xmpPlace }: Container,
  {
    digitalSourceType,
    comment,
  }: { digitalSourceType?: string | undefined; comment?: string | undefined },
): Promise<void> {
  const packet =
    digitalSourceType === undefined ? undefined : Buffer.from(xmpPacket(digitalSourceType));
  if (xmpPlace === "uuid" && packet)
    await appendFile(path, boxBytes("uuid", Buffer.concat([xmpBox, packet])));
  if (xmpPlace === "extension") await extendGif(path, packet, comment);
}

/** Puts extension blocks before a GIF's first picture, behind what says that it repeats. */
async function extendGif(path: string, packet?: Buffer, comment?: string): Promise<void> {
  const blocks = [
    ...(comment === undefined ? [] : [gifComment(Buffer.from(comment))]),
    ...(packet ? [gifXmp(packet)] : []),
  ];
  const bytes = await readFile(path);
  const flags = bytes[10] ?? 0;
  const palette = (flags & 0x80) === 0 ? 0 : 3 * 2 ** ((flags & 7) + 1);
  const afterPalette = 13 + palette;
  const repeats = bytes.toString("latin1", afterPalette + 3, afterPalette + 14) === "NETSCAPE2.0";
  const at = afterPalette + (repeats ? 19 : 0);
  await writeFile(path, Buffer.concat([bytes.subarray(0, at), ...blocks, bytes.subarray(at)]));
}

/** A comment extension: pieces of up to 255 bytes, each after its length. */
function gifComment(text: Buffer): Buffer {
  const pieces: Buffer[] = [Buffer.from([0x21, 0xfe])];
  for (let at = 0; at < text.length; at += 255) {
    const piece = text.subarray(at, at + 255);
    pieces.push(Buffer.from([piece.length]), piece);
  }
  return Buffer.concat([...pieces, Buffer.from([0])]);
}

/**
 * An application extension with the packet as it is.
 *
 * Readers that take it for pieces after their lengths find the end by the falling bytes behind it, whichever they
 * land on.
 */
function gifXmp(packet: Buffer): Buffer {
  const falling = Buffer.from([1, ...Array.from({ length: 256 }, (_, index) => 255 - index), 0]);
  return Buffer.concat([
    Buffer.from([0x21, 0xff, 11]),
    Buffer.from("XMP DataXMP"),
    packet,
    falling,
  ]);
}
