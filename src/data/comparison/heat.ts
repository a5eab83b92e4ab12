/** Differences up to this, of 255, are drawn black: where there are none, the codec leaves some as small. */
export const UNSEEN = 4;
/** Differences from this on are drawn white: half the range. */
const WHITE = 128;

/**
 * The colour of a difference, 0–255: black up to `unseen`, then by red and yellow to white at half the range. Each channel
 * is 0–1.
 */
export function heatOf(difference: number, unseen = UNSEEN): readonly [number, number, number] {
  const heat = 3 * Math.min(1, Math.max(0, (difference - unseen) / (WHITE - unseen)));
  const channel = (from: number) => Math.min(1, Math.max(0, heat - from));
  return [channel(0), channel(1), channel(2)];
}

/** The same as the tables of an SVG filter, which turns grey levels into it. */
export function heatTables(): string {
  const colours = Array.from({ length: 256 }, (_, level) => heatOf(level));
  return ["R", "G", "B"]
    .map((name, channel) => {
      const values = colours.map((colour) => Number(colour[channel]!.toFixed(3)));
      return `<feFunc${name} type="table" tableValues="${values.join(" ")}"/>`;
    })
    .join("");
}
