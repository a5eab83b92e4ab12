import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { BASE_STYLE } from "../page/base-style.ts";
import { DOCUMENT_END, documentStart } from "../page/document.ts";
import { escaped } from "../page/html.ts";
import { heatTables } from "./heat.ts";

/** A line of a list: what it is, and its value. */
export type PageRow = readonly [label: string, value: string];

/** What stands on the page beside the pictures. */
export interface PageText {
  /** What was asked for, one after another. */
  readonly instructions: readonly string[];
  /** What was edited, and into what; one line. */
  readonly origin: string;
  /** How much changed. */
  readonly figures: readonly PageRow[];
  /** How it was made, under headings; the first is open. */
  readonly groups: readonly { readonly title: string; readonly rows: readonly PageRow[] }[];
  /** How it came to be, for programs. */
  readonly receipt: unknown;
}

/** The viewer's files, in the order in which they lie in the page. */
const SCRIPTS = [
  "page-data",
  "clock",
  "snapshot",
  "view",
  "drawing",
  "pointer",
  "chart",
  "controls",
  "start",
];

const read = (name: string): string =>
  readFileSync(new URL(`viewer/${name}`, import.meta.url), "utf8");

/** The page up to its pictures; `data` is what the viewer is told of them. */
export function pageStart(text: PageText, data: unknown): string {
  const { instructions, receipt } = text;
  const style = BASE_STYLE + read("viewer.css");
  const start = documentStart({
    title: `${instructions.join(", then ")}: input and result`,
    style,
    policy: policyFor(style, script()),
  });
  return `${start}${markup(text)}
${jsonBlock("page-data", data)}
${jsonBlock("receipt", receipt)}
`;
}

/** A piece of the pictures' bytes. */
export function pageMedia(piece: Uint8Array): string {
  return `<script type="text/plain" class="media">${Buffer.from(piece).toString("base64")}</script>\n`;
}

/** The page behind its pictures. */
export function pageEnd(): string {
  return `<script>${script()}</script>\n${DOCUMENT_END}`;
}

/** The viewer as one script: its modules behind each other, which need no names of files then. */
function script(): string {
  const modules = SCRIPTS.map((name) =>
    read(`${name}.js`)
      .replaceAll(/^import [^;]*;\n/gm, "")
      .replaceAll(/^export /gm, ""),
  );
  return `"use strict";{\n${modules.join("\n")}}\n`;
}

/** Nothing is loaded from anywhere, and no script runs but the viewer's own. */
function policyFor(style: string, ownScript: string): string {
  const hash = (source: string) =>
    `'sha256-${createHash("sha256").update(source).digest("base64")}'`;
  return [
    "default-src 'none'",
    `style-src ${hash(style)}`,
    `script-src ${hash(ownScript)}`,
    "img-src blob:",
    "media-src blob:",
  ].join("; ");
}

/** Data that no text in it can end early. */
function jsonBlock(id: string, value: unknown): string {
  const json = JSON.stringify(value).replaceAll("<", String.raw`\u003c`);
  return `<script type="application/json" id="${id}">${json}</script>`;
}

function markup({ instructions, origin, figures, groups }: PageText): string {
  const parts: Readonly<Record<string, string>> = {
    heading: headingOf(instructions),
    origin: escaped(origin),
    figures: listOf(figures),
    groups: groups.map(groupOf).join("\n"),
    heat: heatTables(),
  };
  return read("viewer.html").replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => parts[name] ?? "");
}

function headingOf(instructions: readonly string[]): string {
  const [first = "", ...further] = instructions.map((text) => escaped(text));
  if (further.length === 0) return `<h1>${first}</h1>`;
  const items = [first, ...further].map((text) => `<li>${text}</li>`).join("");
  return `<h1 class="hidden">${[first, ...further].join(", then ")}</h1><ol class="instructions">${items}</ol>`;
}

function listOf(rows: readonly PageRow[]): string {
  const items = rows.map(
    ([label, value]) => `<div><dt>${escaped(label)}</dt><dd>${escaped(value)}</dd></div>`,
  );
  return `<dl>${items.join("")}</dl>`;
}

function groupOf({ title, rows }: PageText["groups"][number], index: number): string {
  const isOpen = index === 0 ? " open" : "";
  return `<details${isOpen}><summary>${escaped(title)}</summary>${listOf(rows)}</details>`;
}
