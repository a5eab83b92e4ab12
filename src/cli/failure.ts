import { getSystemErrorMessage, inspect } from "node:util";
import { ConfigError, DataError, ShapeError, UserError } from "../engine/errors.ts";
import { HubError } from "../hub/errors.ts";

/** How a failed command ends: what it says on stderr and its exit code. */
export interface Failure {
  readonly text: string;
  /** 1 failed, 2 misused. */
  readonly exitCode: 1 | 2;
}

/** Turns whatever was thrown into one sentence; `debug` adds the stack and the causes. */
export function failureOf(error: unknown, { debug }: { debug: boolean }): Failure {
  const exitCode = error instanceof UserError || error instanceof ConfigError ? 2 : 1;
  const sentence = `eve: ${sentenceOf(error)}`;
  return { exitCode, text: debug ? `${sentence}\n${inspect(error)}` : sentence };
}

/** What went wrong, in one sentence. */
export function sentenceOf(error: unknown): string {
  if (!(error instanceof Error)) return `internal error: ${inspect(error)}`;
  if (isOurs(error)) return oneLine(error.message);
  if (isSystemError(error)) {
    // errors of `rm` have positive numbers
    const reason = getSystemErrorMessage(-Math.abs(error.errno));
    if (isFileForFolder(error))
      return `${error.path ?? "what is to be written into"} lies where a folder is to be: ${reason}; name a folder, there already or not`;
    if (isFolderForFile(error))
      return `${error.dest ?? error.path ?? "what is to be read (--debug shows what)"} is a folder where a file is to be: move it away, or name a file`;
    if (isDiskFull(error))
      return `${error.path ?? "the disk that is written to"}: ${reason}; make room, and the same command goes on`;
    return error.path === undefined ? `${error.syscall}: ${reason}` : `${error.path}: ${reason}`;
  }
  if (isOutOfMemory(error))
    return "the memory does not suffice (--debug shows for what): ask for less at once, of an edit with a smaller --window, of a training with a smaller batch and accumulate";
  const [firstLine = ""] = error.message.trim().split("\n");
  const message = firstLine.replace(/^internal error: /, "");
  return `internal error: ${message} (--debug shows where)`;
}

function oneLine(message: string): string {
  return message
    .trim()
    .replaceAll(/:\s*\n\s*/g, ": ")
    .replaceAll(/\s*\n\s*/g, "; ");
}

function isOurs(error: Error): boolean {
  const ours = [UserError, ConfigError, DataError, ShapeError, HubError];
  return ours.some((known) => error instanceof known);
}

interface SystemError extends Error {
  readonly errno: number;
  readonly syscall: string;
  readonly path?: string;
  /** Where a file was to be moved to. */
  readonly dest?: string;
}

/** A disk, or somebody's share of one. */
function isDiskFull(error: SystemError): boolean {
  return "code" in error && (error.code === "ENOSPC" || error.code === "EDQUOT");
}

/**
 * Whether Node's `fetch` (24.21) threw this beside a request, which is all right: the server has closed its connection
 * behind the last bytes while they wait to be read (nodejs/undici#5360). They come all the same, and what does not come is
 * told to whoever reads.
 */
export function isOfClosedFetch(error: Error): boolean {
  const isAssertion = "code" in error && error.code === "ERR_ASSERTION";
  return (
    isAssertion && /^ +at Parser\.finish \(node:internal\/deps\/undici/m.test(error.stack ?? "")
  );
}

/** Whether libtorch was refused memory, the processor's or a GPU's. */
function isOutOfMemory(error: Error): boolean {
  const isLibtorch = "code" in error && error.code === "ERR_LIBTORCH";
  return isLibtorch && /not enough memory|out of memory/.test(error.message);
}

/** Whether a folder could not be made because a file has its name, or that of one above it. */
function isFileForFolder(error: SystemError): boolean {
  const isInTheWay = "code" in error && (error.code === "EEXIST" || error.code === "ENOTDIR");
  return error.syscall === "mkdir" && isInTheWay;
}

function isFolderForFile(error: SystemError): boolean {
  return "code" in error && error.code === "EISDIR";
}

function isSystemError(error: Error): error is SystemError {
  return "errno" in error && typeof error.errno === "number" && "syscall" in error;
}
