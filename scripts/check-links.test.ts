import { expect, test } from "vitest";
import { linkProblems, type Repository } from "./check-links.ts";

const documents: Record<string, string> = {
  "docs/speed.md": "# Speed\n\n## On a GPU, [measured](x.md): 2 × as `fast`\n",
  "src/nn/lora.ts": "",
  "src/models/unet.ts": "",
  "src/eve/test/it.ts": "",
};
const problemsOf = (text: string, path = "docs/page.md"): string[] => {
  const all: Record<string, string> = { ...documents, [path]: text };
  const repository: Repository = {
    has: (wanted) =>
      Object.keys(all).some(
        (name) => name === wanted || name.startsWith(wanted.replace(/\/*$/, "/")),
      ),
    read: (wanted) => all[wanted]!,
  };
  return linkProblems(path, repository);
};

test.each([
  "[speed](speed.md)",
  "[on a GPU](speed.md#on-a-gpu-measured-2--as-fast)",
  "# Here\n[above](#here)",
  "[code](../src/nn/) and `src/nn/lora.ts`, `src/nn/`, `src/nn/*.test.ts`, `models/<name>/`",
  "[elsewhere](https://example.org/nothing.md)",
  "```\n[in code](nothing.md)\n```",
])("%j has no problem", (text) => {
  expect(problemsOf(text)).toEqual([]);
});

test.each([
  ["[speed](sped.md)", "links to sped.md, which does not exist"],
  ["[speed](speed.md#on-a-tpu)", "links to speed.md#on-a-tpu, and there is no such heading"],
  ["# Here\n[below](#there)", "links to #there, and there is no such heading"],
  ["`src/nn/lori.ts`", "names src/nn/lori.ts, which does not exist"],
])("%j is refused", (text, problem) => {
  expect(problemsOf(text)).toEqual([problem]);
});

test("a path may begin at the sources, or where its document lies", () => {
  const layer = "src/eve/README.md";
  expect(problemsOf("`models/unet.ts` and `test/it.ts`", layer)).toEqual([]);
  expect(problemsOf("`models/vae.ts`", layer)).toEqual([
    "names models/vae.ts, which does not exist",
  ]);
});
