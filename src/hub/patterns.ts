/** Whether a path fits a pattern: `*` stands for anything, slashes too, `?` for one character, `folder/` for all in it. */
export function matches(pattern: string, path: string): boolean {
  const whole = pattern.endsWith("/") ? `${pattern}*` : pattern;
  const source = whole
    .replaceAll(/[$()+.[\\\]^{|}]/g, String.raw`\$&`)
    .replaceAll("*", ".*")
    .replaceAll("?", ".");
  return new RegExp(`^${source}$`, "s").test(path);
}
