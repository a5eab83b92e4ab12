import type { ArgsDef } from "citty";

/** An option's definition with the heading that its help stands under. */
interface Grouped {
  readonly type?: string;
  readonly group?: string;
  readonly alias?: string | readonly string[];
  readonly valueHint?: string;
  readonly description?: string;
}

/** Longest line of help, in characters. */
const LINE = 100;

/** Help of a command whose options are in groups; undefined where they are not. */
export function groupedHelp(
  path: readonly string[],
  { description = "" }: { readonly description?: string | undefined },
  args: ArgsDef,
): string | undefined {
  const options = Object.entries<Grouped>(args);
  const groups = new Set(options.flatMap(([, { group }]) => group ?? []));
  if (groups.size === 0) return undefined;
  const flags = options.filter(([, { type }]) => type !== "positional");
  const width = Math.max(...flags.map(([name, option]) => flagOf(name, option).length));
  const positionals = options.filter(([, { type }]) => type === "positional");
  const usage = positionals.map(([name, { valueHint }]) => `[${name}${valueHint ?? ""}]`).join(" ");
  const lines = [
    `${description} (${path.join(" ")})`,
    "",
    `USAGE ${path.join(" ")} ${usage} [options]`,
    "",
    ...positionals.map(([name, option]) => line(name, option.description, width)),
  ];
  for (const group of groups) {
    const own = flags.filter(([, option]) => option.group === group);
    lines.push("", group.toUpperCase(), "");
    lines.push(
      ...own.map(([name, option]) => line(flagOf(name, option), option.description, width)),
    );
  }
  return lines.join("\n");
}

function flagOf(name: string, { alias, valueHint }: Grouped): string {
  const short = [alias ?? []].flat().map((letter) => `-${letter}, `);
  const isOptional = valueHint?.startsWith("[") === true;
  const value = valueHint === undefined ? "" : isOptional ? ` ${valueHint}` : ` <${valueHint}>`;
  return `${short.join("")}--${name}${value}`;
}

/** The flag, and beside it its description, broken between words. */
function line(flag: string, description = "", width: number): string {
  const indent = " ".repeat(width + 4);
  const rows: string[] = [];
  let row = "";
  for (const word of description.split(" ")) {
    const longer = row === "" ? word : `${row} ${word}`;
    if (row !== "" && indent.length + longer.length > LINE) {
      rows.push(row);
      row = word;
    } else row = longer;
  }
  rows.push(row);
  return `  ${flag.padEnd(width + 2)}${rows.join(`\n${indent}`)}`;
}
