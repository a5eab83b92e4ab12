import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

/** What a check of links knows of the repository, by paths from its root. */
export interface Repository {
  /** Whether there is such a file or folder. */
  has(path: string): boolean;
  /** The text of a document that there is. */
  read(path: string): string;
}

/** Folders whose files documents name in backticks. */
const FOLDERS = "src|test|bench|scripts|docs|native|models|examples";

/**
 * What is wrong with the document at `path`, one sentence each: links to files and headings that there are not, and paths in
 * backticks, from the root, the sources or the document, that lead nowhere. Code blocks and links to the web are passed over, and paths with a
 * placeholder.
 */
export function linkProblems(path: string, repository: Repository): string[] {
  const text = withoutCode(repository.read(path));
  const links = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = ""]) => target);
  const named = [...text.matchAll(new RegExp(`\`((?:${FOLDERS})/[\\w./-]*[\\w/])\``, "g"))];
  return [
    ...links.flatMap((target) => targetProblems(path, target, repository)),
    ...named
      .map(([, name = ""]) => name)
      .filter((name) => !repository.has(name) && !repository.has(join(dirname(path), name)))
      .filter((name) => !repository.has(join("src", name)))
      .map((name) => `names ${name}, which does not exist`),
  ];
}

function targetProblems(path: string, target: string, repository: Repository): string[] {
  if (/^[a-z]+:/.test(target)) return [];
  const [file = "", heading] = target.split("#");
  const found = file === "" ? path : normalize(join(dirname(path), file));
  if (!repository.has(found)) return [`links to ${target}, which does not exist`];
  if (heading === undefined || !found.endsWith(".md")) return [];
  const isThere = anchorsOf(repository.read(found)).has(heading);
  return isThere ? [] : [`links to ${target}, and there is no such heading`];
}

/** The names under which GitHub links to the headings of a document. */
function anchorsOf(markdown: string): Set<string> {
  const headings = [...withoutCode(markdown).matchAll(/^#+ (.*)$/gm)].map(([, title = ""]) =>
    title
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .trim()
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}_\- ]/gu, "")
      .replaceAll(" ", "-"),
  );
  return new Set(headings);
}

function withoutCode(markdown: string): string {
  return markdown.replaceAll(/^```[^]*?^```$/gm, "");
}

if (import.meta.main) {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const repository: Repository = {
    has: (path) => existsSync(join(root, path)),
    read: (path) => readFileSync(join(root, path), "utf8"),
  };
  const documents = globSync("{*.md,{.ci,bench,docs,models,native,src,test}/**/*.md}", {
    cwd: root,
  }).toSorted();
  const problems = documents.flatMap((path) =>
    linkProblems(path, repository).map((problem) => `${path} ${problem}`),
  );
  for (const problem of problems) console.error(problem);
  console.log(`links: ${documents.length} documents, ${problems.length} problems`);
  process.exitCode = problems.length > 0 ? 1 : 0;
}
