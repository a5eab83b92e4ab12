/** The folder beside an output that keeps the work of an edit which may be stopped. */
export function workPath(output: string): string {
  return `${output.replace(/\/+$/, "")}.work`;
}
