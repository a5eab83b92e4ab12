/** Text that may stand between tags and in quoted attributes. */
export function escaped(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

/** One bar of a chart. */
export interface Bar {
  readonly label: string;
  readonly value: number;
}

/** Bars side by side from a common line, each with its number: counts per task. */
export function barList(bars: readonly Bar[]): string {
  const most = Math.max(1, ...bars.map(({ value }) => value));
  const rows = bars.map(
    ({ label, value }) =>
      `<div class="row"><span class="name">${escaped(label)}</span>` +
      `<span class="track"><span class="bar" style="width:${((100 * value) / most).toFixed(1)}%"></span></span>` +
      `<span class="number">${value}</span></div>`,
  );
  return `<div class="bars">${rows.join("")}</div>`;
}

/** Upright bars over a number line, with the smallest, the median and the largest value: lengths in words. */
export function histogram(values: readonly number[], unit: string): string {
  if (values.length === 0) return `<p class="quiet">none</p>`;
  const sorted = values.toSorted((a, b) => a - b);
  const [least, most] = [sorted[0]!, sorted.at(-1)!];
  const width = Math.max(1, Math.ceil((most - least + 1) / 24));
  const bins = Array.from({ length: Math.floor((most - least) / width) + 1 }, () => 0);
  for (const value of values) bins[Math.floor((value - least) / width)]!++;
  const highest = Math.max(...bins);
  const columns = bins.map((count, bin) => {
    const from = least + bin * width;
    const range = width === 1 ? `${from}` : `${from}–${from + width - 1}`;
    const height = count === 0 ? 0 : Math.max(2, (100 * count) / highest);
    return `<span class="column" title="${range} ${unit}: ${count}"><i style="height:${height.toFixed(1)}%"></i></span>`;
  });
  const middle = sorted[sorted.length >> 1]!;
  return (
    `<div class="histogram">${columns.join("")}</div>` +
    `<div class="axis"><span>${least}</span><span>median ${middle} ${unit}</span><span>${most}</span></div>`
  );
}
