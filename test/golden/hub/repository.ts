import { content, type ServedRepository } from "../../support/hub-server.ts";

/** What both clients pull: small and large files, in folders and not, two of one content, and none at all. */
export const repository: ServedRepository = {
  name: "owner/net-1.5",
  commit: "c0ffee".padEnd(40, "0"),
  files: {
    "config.json": Buffer.from('{"a":1}\n'),
    "empty.txt": Buffer.alloc(0),
    "unet/config.json": Buffer.from('{"a":1}\n'),
    "unet/deep/er/model.safetensors": content(70_000, 1),
    "vae/model with space.safetensors": content(30_000, 2),
  },
};
