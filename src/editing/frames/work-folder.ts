import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { removeLeftovers } from "../../data/video/output-file.ts";
import { UserError } from "../../engine/errors.ts";
import { jsonOf } from "../../engine/json.ts";
import { replaceFile } from "../../engine/replace-file.ts";
import { loadSafetensors, saveSafetensors } from "../../engine/safetensors.ts";
import { tensorScope } from "../../engine/scope.ts";
import { claimLock } from "../../training/lock.ts";
import type { WindowLatents } from "../windows/window-editor.ts";
import { workPath } from "./work-path.ts";

/** Where an editor keeps the windows that it has finished, counted from 0. */
export interface WindowStore {
  /** A window kept before, in tensors of the innermost scope. */
  load(window: number): WindowLatents | undefined;
  save(window: number, latents: WindowLatents): void;
}

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
   * Opens the folder of the edit that writes `output`: what is there is continued if `resume`, and removed otherwise.
   *
   * Throws a UserError that names what differs where it belongs to another edit, or is in use.
   */
  static open(output: string, identity: EditIdentity, resume: boolean): WorkFolder {
    const path = workPath(output);
    mkdirSync(path, { recursive: true });
    const lock = claimLock(join(path, "lock"), "editing");
    try {
      removeLeftovers(output);
      const description = join(path, "edit.json");
      const own = digests(identity);
      if (resume && existsSync(description)) requireSame(path, description, own);
      else {
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

function requireSame(
  path: string,
  description: string,
  own: Readonly<Record<string, string>>,
): void {
  const parsed = Digests.safeParse(parsedJson(description));
  const kept = parsed.success ? parsed.data : {};
  const differing = Object.keys(own).filter((name) => kept[name] !== own[name]);
  if (differing.length === 0) return;
  throw new UserError(
    `the work in ${path} belongs to another edit (different: ${differing.join(", ")}): repeat that edit, or leave out --resume to start anew`,
  );
}

/** The JSON in a file; undefined where there is nothing that could be continued. */
function parsedJson(path: string): unknown {
  return existsSync(path) ? jsonOf(readFileSync(path, "utf8")) : undefined;
}
