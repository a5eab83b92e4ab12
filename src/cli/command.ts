import { type CommandDef, renderUsage, runCommand, type SubCommandsDef } from "citty";
import { UserError } from "../engine/errors.ts";
import { checkArguments, suggestion, withOptionalValues } from "./arguments.ts";
import { groupedHelp } from "./help.ts";
import { coloured } from "./output.ts";
import type { VerbContext } from "./verb.ts";

/** The verbs. Each loads only when it is named, and the engine only when it runs. */
const verbs = {
  edit: async () => (await import("./edit/edit.ts")).default,
  batch: async () => (await import("./batch/batch.ts")).default,
  train: async () => (await import("./train/train.ts")).default,
  distill: async () => (await import("./train/distill.ts")).default,
  ablate: async () => (await import("./train/ablate.ts")).default,
  export: async () => (await import("./train/export.ts")).default,
  data: async () => (await import("./data/data.ts")).default,
  evaluate: async () => (await import("./evaluate/evaluate.ts")).default,
  world: async () => (await import("./world.ts")).default,
  pull: async () => (await import("./pull.ts")).default,
  inspect: async () => (await import("./inspect.ts")).default,
  doctor: async () => (await import("./doctor.ts")).default,
} satisfies SubCommandsDef;

const eve: CommandDef = {
  meta: { name: "eve", description: "Edit videos by a plain instruction" },
  args: {
    version: { type: "boolean", description: "print the version" },
    help: { type: "boolean", alias: "h", description: "print this, or the help of a verb" },
    debug: { type: "boolean", description: "with any verb: show where an error came from" },
  },
  subCommands: verbs,
};

/** A command found on the command line. */
interface Found {
  /** e.g. `["eve", "world", "sample"]` */
  readonly path: readonly string[];
  readonly command: CommandDef;
  /** What follows the command's name. */
  readonly rest: readonly string[];
}

/** Runs what the command line asks for. Returns text to print (help, version) or undefined. */
export async function runArguments(
  argv: readonly string[],
  context: VerbContext,
): Promise<string | undefined> {
  const found = await findCommand(argv[0] === "help" ? [...argv.slice(1), "--help"] : argv);
  const options = untilDashes(found.rest);
  if (options.some((arg) => arg === "--help" || arg === "-h")) return helpOf(found);
  if (found.path.length === 1) return runRoot(found);
  if (found.command.subCommands !== undefined) throw missingVerb(found);
  const args = (await resolved(found.command.args)) ?? {};
  const rawArgs = withOptionalValues(found.rest, args);
  checkArguments(rawArgs, args);
  await runCommand(found.command, { rawArgs, data: context });
  return undefined;
}

async function runRoot({ command, path, rest }: Found): Promise<string> {
  if (rest.length === 0) return helpOf({ command, path, rest });
  checkArguments(rest, (await resolved(command.args)) ?? {});
  return (await import("./version.ts")).versionText();
}

async function findCommand(argv: readonly string[]): Promise<Found> {
  let found: Found = { path: ["eve"], command: eve, rest: argv };
  for (;;) {
    const subCommands = await resolved(found.command.subCommands);
    const [name, ...rest] = found.rest;
    if (subCommands === undefined || name === undefined || name.startsWith("-")) return found;
    if (!Object.hasOwn(subCommands, name)) throw unknownVerb(name, found.path, subCommands);
    const command = await resolved(subCommands[name]);
    if (command === undefined) return found;
    found = { path: [...found.path, name], command, rest };
  }
}

function unknownVerb(name: string, path: readonly string[], known: SubCommandsDef): UserError {
  const names = Object.keys(known);
  const near = suggestion(name, names) || `; there are ${names.join(", ")}`;
  return new UserError(`${path.join(" ")} has no verb "${name.slice(0, 60)}"${near}`);
}

function missingVerb({ path }: Found): UserError {
  const name = path.join(" ");
  return new UserError(`${name} needs a verb: ${name} --help lists them`);
}

async function helpOf({ path, command }: Found): Promise<string> {
  const meta = (await resolved(command.meta)) ?? {};
  const grouped = groupedHelp(path, meta, (await resolved(command.args)) ?? {});
  if (grouped !== undefined) return grouped;
  const parents = path.slice(0, -1).join(" ");
  const usage = await renderUsage(command, { meta: { name: parents } });
  return coloured(usage, process.stdout);
}

function untilDashes(args: readonly string[]): readonly string[] {
  const end = args.indexOf("--");
  return end < 0 ? args : args.slice(0, end);
}

/** citty lets a part of a command be a value or a function that loads it. */
async function resolved<T extends object>(
  value: T | Promise<T> | (() => T | Promise<T>) | undefined,
): Promise<T | undefined> {
  return isLoader(value) ? value() : value;
}

function isLoader<T extends object>(value: unknown): value is () => T | Promise<T> {
  return typeof value === "function";
}
