import { escaped } from "./html.ts";

/** What stands before the body of a page. */
export interface DocumentHead {
  readonly title: string;
  readonly style: string;
  /** What the page may load and run; without one the browser's own rules hold. */
  readonly policy?: string | undefined;
}

/** The beginning of a page that needs no other file. */
export function documentStart({ title, style, policy }: DocumentHead): string {
  const rules =
    policy === undefined
      ? ""
      : `<meta http-equiv="Content-Security-Policy" content="${escaped(policy)}">\n`;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
${rules}<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<style>${style}</style>
`;
}

/** Its end. */
export const DOCUMENT_END = "</html>\n";
