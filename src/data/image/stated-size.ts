interface Size {
  readonly width: number;
  readonly height: number;
}

/** The size in pixels, as stored, that a JPEG, PNG or WebP says it has; undefined where bytes are none of these. */
export function statedSize(bytes: Buffer): Size | undefined {
  const start = bytes.toString("latin1", 0, 16);
  if (start.startsWith("\x89PNG\r\n\x1a\n") && bytes.length >= 24)
    return { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) };
  if (start.startsWith("\xff\xd8")) return jpegSize(bytes);
  if (/^RIFF.{4}WEBP/s.test(start) && bytes.length >= 30) return webpSize(start.slice(12), bytes);
  return undefined;
}

/** The segments of a JPEG come one after the other; the size stands in that of its frame. */
function jpegSize(bytes: Buffer): Size | undefined {
  for (let at = 2; at + 9 <= bytes.length && bytes[at] === 0xff;) {
    const marker = bytes[at + 1]!;
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) return { width: bytes.readUInt16BE(at + 7), height: bytes.readUInt16BE(at + 5) };
    // any number of these bytes may stand before a marker
    at += marker === 0xff ? 1 : 2 + bytes.readUInt16BE(at + 2);
  }
  return undefined;
}

/** By the kind of a WebP's first chunk: lossy, lossless, or one that only describes. */
function webpSize(kind: string, bytes: Buffer): Size | undefined {
  switch (kind) {
    case "VP8 ":
      return { width: bytes.readUInt16LE(26) & 0x3fff, height: bytes.readUInt16LE(28) & 0x3fff };
    case "VP8L": {
      const sides = bytes.readUInt32LE(21);
      return { width: (sides & 0x3fff) + 1, height: ((sides >> 14) & 0x3fff) + 1 };
    }
    case "VP8X":
      return { width: bytes.readUIntLE(24, 3) + 1, height: bytes.readUIntLE(27, 3) + 1 };
    default:
      return undefined;
  }
}
