import { writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../../test/support/temporary-folder.ts";
import { hubSettings } from "./settings.ts";

const noToken = { HF_TOKEN_PATH: "/nonexistent" };

describe("the cache's folder", () => {
  test.each([
    [{}, join(homedir(), ".cache/huggingface/hub")],
    [{ XDG_CACHE_HOME: "/x" }, "/x/huggingface/hub"],
    [{ XDG_CACHE_HOME: "/x", HF_HOME: "/home-of-hub" }, "/home-of-hub/hub"],
    [{ HF_HOME: "/home-of-hub", HUGGINGFACE_HUB_CACHE: "/old" }, "/old"],
    [{ HUGGINGFACE_HUB_CACHE: "/old", HF_HUB_CACHE: "/new" }, "/new"],
    [{ HF_HUB_CACHE: "~/weights" }, join(homedir(), "weights")],
  ])("with %j is %s", (environment, folder) => {
    expect(hubSettings({ ...noToken, ...environment }).cache).toBe(folder);
  });
});

describe("the token", () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, "token"), "from-file\n");

  test.each([
    [{ HF_TOKEN: " from-variable ", HF_HOME: folder }, "from-variable"],
    [{ HF_HOME: folder }, "from-file"],
    [{ HF_TOKEN_PATH: join(folder, "token") }, "from-file"],
    [{ HF_HOME: "/nonexistent" }, undefined],
  ])("with %j is %s", (environment, token) => {
    expect(hubSettings(environment).token).toBe(token);
  });

  test("that would break a header is refused, and not printed", () => {
    const set = () => hubSettings({ HF_TOKEN: "secret\r\nother: header" });
    expect(set).toThrow(/^HF_TOKEN: expected one word/);
    expect(set).not.toThrow(/secret/);
  });
});

test.each(["1", "on", "YES", "True"])("%s means offline", (value) => {
  expect(hubSettings({ ...noToken, HF_HUB_OFFLINE: value }).offline).toBe(true);
  expect(hubSettings({ ...noToken, TRANSFORMERS_OFFLINE: value }).offline).toBe(true);
});

test("other values mean online, and links are used", () => {
  expect(hubSettings({ ...noToken, HF_HUB_OFFLINE: "0" })).toMatchObject({
    offline: false,
    symlinks: true,
    answerTimeoutSeconds: 10,
    downloadTimeoutSeconds: 10,
  });
});

test("a mirror, its path included, stands in for the hub", () => {
  const { endpoint } = hubSettings({ ...noToken, HF_ENDPOINT: "https://mirror.example/hub/" });
  expect(endpoint).toBe("https://mirror.example/hub");
});

test.each([
  [{ HF_ENDPOINT: "mirror.example" }, /HF_ENDPOINT: expected an address like https:/],
  [{ HF_ENDPOINT: "file:///etc" }, /HF_ENDPOINT: expected an address like https:/],
  [{ HF_HUB_ETAG_TIMEOUT: "soon" }, /HF_HUB_ETAG_TIMEOUT: expected a number of seconds/],
  [{ HF_HUB_DOWNLOAD_TIMEOUT: "0" }, /HF_HUB_DOWNLOAD_TIMEOUT: expected .* above 0, got "0"/],
])("refuses %j", (environment, sentence) => {
  expect(() => hubSettings({ ...noToken, ...environment })).toThrow(sentence);
});
