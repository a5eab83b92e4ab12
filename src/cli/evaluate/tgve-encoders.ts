import { invariant } from "../../engine/errors.ts";
import type { TgveEncoders } from "../../evaluation/tgve/tgve-video.ts";
import type { Hub } from "../../hub/hub.ts";
import { locateWeights } from "../../hub/open-weights.ts";
import { loadClip } from "../../models/clip/load-clip.ts";
import type { ViclipConfig } from "../../models/viclip/config.ts";
import { loadViclip } from "../../models/viclip/load-viclip.ts";
import { PUBLIC_WEIGHTS } from "../../presets/open-weights.ts";

/** The networks that TGVE is scored with. */
export const TGVE_NETWORKS = ["clip", "pick", "viclip"] as const;
/** One of them. */
export type TgveNetwork = (typeof TGVE_NETWORKS)[number];

/** What of the open preset's weights each network takes, by role: its own, and whose tokenizer it reads texts by. */
const ROLES: Readonly<Record<TgveNetwork, { readonly own: string; readonly words: string }>> = {
  clip: { own: "frame consistency", words: "frame consistency" },
  pick: { own: "PickScore", words: "PickScore's words" },
  viclip: { own: "ViCLIP", words: "frame consistency" },
};

/**
 * The public networks of the metrics, from the cache of the hub.
 *
 * All are looked for before the first is opened: a UserError names what was not pulled, and the command that pulls it.
 * `viclipConfigs` are the sizes that ViCLIP's file may have; by default the published ones.
 */
export async function loadTgveEncoders(
  hub: Hub,
  names: readonly TgveNetwork[],
  { viclipConfigs }: { readonly viclipConfigs?: readonly ViclipConfig[] } = {},
): Promise<TgveEncoders> {
  const folders = new Map<TgveNetwork, { own: string; tokenizer: string }>();
  for (const name of names) {
    const { own, words } = ROLES[name];
    folders.set(name, { own: await folderOf(hub, own), tokenizer: await folderOf(hub, words) });
  }
  const [clip, pick, viclip] = TGVE_NETWORKS.map((name) => folders.get(name));
  return {
    clip: clip && loadClip(clip.own, clip),
    pick: pick && loadClip(pick.own, pick),
    viclip:
      viclip &&
      loadViclip(viclip.own, {
        tokenizer: viclip.tokenizer,
        ...(viclipConfigs && { configs: viclipConfigs }),
      }),
  };
}

async function folderOf(hub: Hub, role: string): Promise<string> {
  const weights = PUBLIC_WEIGHTS.find((one) => one.role === role);
  invariant(weights, `the open preset has weights for ${role}`);
  return (await locateWeights(hub, weights)).folder;
}
