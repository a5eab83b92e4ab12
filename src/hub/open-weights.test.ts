import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { hubAt, pullAll } from "../../test/support/hub-client.ts";
import { content, HubServer } from "../../test/support/hub-server.ts";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { PUBLIC_WEIGHTS } from "../presets/open-weights.ts";
import { isCommit, isRepositoryName } from "./hub.ts";
import { estimate, locateWeights, requestFor } from "./open-weights.ts";

const folder = temporaryFolder();
const adapter = PUBLIC_WEIGHTS.find(({ role }) => role === "edit adapter")!;

describe("the open preset's weights", () => {
  test("are named as the hub names things, and never as pickles", () => {
    for (const { repository, revision, files } of PUBLIC_WEIGHTS) {
      expect(isRepositoryName(repository)).toBe(true);
      expect(isCommit(revision) || revision === "main").toBe(true);
      for (const { path } of files.flatMap(({ choices }) => choices)) {
        expect(path).toMatch(/\.(safetensors|json|txt)$/);
      }
    }
  });

  test("take as much as the sizes that their authors publish, to 5 %", () => {
    const expected = { "text to image": 2.13e9, "edit adapter": 0.72e9, "first frame": 0.99e9 };
    for (const [role, bytes] of Object.entries(expected)) {
      const { files } = PUBLIC_WEIGHTS.find((one) => one.role === role)!;
      const sum = files.reduce((total, { choices }) => total + choices[0]!.bytes, 0);
      expect(Math.abs(sum / bytes - 1)).toBeLessThan(0.05);
    }
  });
});

describe("weights in the cache", () => {
  test.each([
    ["in 16 bits", "diffusion_pytorch_model.fp16.safetensors"],
    ["in 32 bits", "diffusion_pytorch_model.safetensors"],
  ])("%s are found where they are what the repository has", async (_, file) => {
    const files = { "config.json": Buffer.from("{}"), [file]: content(500, 1) };
    await using server = await HubServer.start({
      name: adapter.repository,
      commit: adapter.revision,
      files,
    });
    const hub = hubAt(server.endpoint, join(folder, file));
    await expect(locateWeights(hub, adapter)).rejects.toThrow(
      /^config.json of lllyasviel\/control_v11e_sd15_ip2p is not in .*: run .\/eve pull open --only edit$/,
    );
    const before = await estimate(hub, adapter);
    expect(before.files.map(({ there }) => there)).toEqual([0, 0]);
    await pullAll(hub, [requestFor(adapter)]);
    const located = await locateWeights(hub, adapter);
    expect(located.files).toEqual(["config.json", file]);
    expect(located.folder).toContain(adapter.revision);
    const after = await estimate(hub, adapter);
    expect(after.files).toContainEqual({ path: file, size: 500, there: 500 });
  });
});
