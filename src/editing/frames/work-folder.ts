import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { UserError } from "../../engine/errors.ts";
import { jsonOf } from "../../engine/json.ts";
import { claimLock } from "../../engine/lock.ts";
import { replaceFile } from "../../engine/replace-file.ts";
import { loadSafetensors, saveSafetensors } from "../../engine/safetensors.ts";
import { tensorScope } from "../../engine/scope.ts";
import type { WindowLatents } from "../windows/window-editor.ts";
import { workPath } from "./work-path.ts";

/** Where an editor keeps the windows that it has finished, counted from 0. */
export interface WindowStore {
  /** A window kept before, in tensors of the innermost scope. */
  load(window: number): WindowLatents | undefined;
  save(window: number, latents: WindowLatents): void;
}

/**
 * Whether an edit continues work that was left behind: whatever is there, an error where it is another edit's; nothing; or what
 * is of the same edit, while other work is removed.
 */
export type Resumption = boolean | "where it is the same";

/** Everything that an edit's frames depend on, as plain JSON: a name for each thing. */
export type EditIdentity = Readonly<Record<string, unknown>>;

/**
 * The finished windows of an edit on disk, so that a later run continues behind them.
 *
 * A window takes two latents a frame (33 kB with the `tiny` model, whatever the video's size). It appears complete or
 * not at all. One process at a time works in the folder.
 */
export class WorkFolder implements Disposable {
  readonly path: string;
  readonly #lock: Disposable;

  private constructor(path: string, lock: Disposable) {
    this.path = path;
    this.#lock = lock;
  }

  /**
   * Opens the folder of the edit that writes `output`: what is there is continued as `resume` says, and removed otherwise.
   *
   * Throws a UserError that names what differs where it belongs to another edit, or is in use.
   */
  static open(output: string, identity: EditIdentity, resume: Resumption): WorkFolder {
    const path = workPath(output);
    mkdirSync(path, { recursive: true });
    const lock = claimLock(join(path, "lock"), "editing");
    try {
      const description = join(path, "edit.json");
      const own = digests(identity);
      const differing = differences(description, own);
      if (resume === true) requireSame(path, differing ?? []);
      if (resume === false || differing?.length !== 0) {
        for (const name of readdirSync(path)) if (name !== "lock") rmSync(join(path, name));
        replaceFile(description, JSON.stringify(own, null, 2));
      }
    } catch (error) {
      lock[Symbol.dispose]();
      throw error;
    }
    return new WorkFolder(path, lock);
  }

  /** The windows of one of the edits that follow each other, counted from 0. */
  stage(number: number): WindowStore {
    const file = (window: number) =>
      join(this.path, `${number}-${String(window).padStart(6, "0")}.safetensors`);
    return {
      load: (window) => loadWindow(file(window)),
      save: (window, { input, edited }) => {
        using _ = tensorScope();
        saveSafetensors(
          file(window),
          new Map([
            ["input", input],
            ["edited", edited],
          ]),
        );
      },
    };
  }

  /** Removes the folder: the edit is done. */
  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }

  /** Leaves what is there for a later run. */
  [Symbol.dispose](): void {
    this.#lock[Symbol.dispose]();
  }
}

/** A window's latents; none where the file is missing, or was left damaged. */
function loadWindow(path: string): WindowLatents | undefined {
  if (!existsSync(path)) return undefined;
  const tensors = loadSafetensors(path);
  const [input, edited] = [tensors.get("input"), tensors.get("edited")];
  return input && edited ? { input, edited } : undefined;
}

/** What is compared: settings and paths themselves are nobody's business in a folder that may be left behind. */
function digests(identity: EditIdentity): Record<string, string> {
  return Object.fromEntries(
    Object.entries(identity).map(([name, value]) => [
      name,
      createHash("sha256").update(JSON.stringify(value)).digest("hex"),
    ]),
  );
}

const Digests = z.record(z.string(), z.string());

/** Names of what differs between this edit and the one that `description` tells of; undefined where there is none. */
function differences(
  description: string,
  own: Readonly<Record<string, string>>,
): string[] | undefined {
  if (!existsSync(description)) return undefined;
  const parsed = Digests.safeParse(jsonOf(readFileSync(description, "utf8")));
  const kept = parsed.success ? parsed.data : {};
  return Object.keys(own).filter((name) => kept[name] !== own[name]);
}

function requireSame(path: string, differing: readonly string[]): void {
  if (differing.length === 0) return;
  throw new UserError(
    `the work in ${path} belongs to another edit (different: ${differing.join(", ")}): repeat that edit, or start anew without resuming`,
  );
}
