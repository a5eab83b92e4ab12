import { defineCommand } from "citty";
import { UserError } from "../engine/errors.ts";
import type { Hub } from "../hub/hub.ts";
import type { PlannedRepository, Request } from "../hub/plan.ts";
import type { PublicWeights } from "../presets/open-weights.ts";
import { numberOption, oneOf, suggestion } from "./arguments.ts";
import { Reporter } from "./output.ts";
import type { VerbContext } from "./verb.ts";

/** What our loaders read, and what says under which terms; never pickles. */
const READABLE = ["*.safetensors", "*.json", "*.txt", "*.md", "LICENSE*"];

export default defineCommand({
  meta: {
    name: "pull",
    description: "Fetch public weights into the cache; the same command again resumes",
  },
  args: {
    what: {
      type: "positional",
      description: "open (the public weights this project uses), or a repository as owner/name",
    },
    only: {
      type: "string",
      valueHint: "group,…",
      description: "with open: edit, distill, metrics (default: edit,distill)",
    },
    file: {
      type: "string",
      valueHint: "pattern,…",
      description: `with a repository: which files, e.g. "unet/*" (default: ${READABLE.join(",")})`,
    },
    revision: {
      type: "string",
      valueHint: "name",
      description: "with a repository: branch, tag or commit (default: main)",
    },
    parallel: {
      type: "string",
      default: "4",
      valueHint: "n",
      description: "how many files come at once",
    },
    "dry-run": {
      type: "boolean",
      description: "list what would come, what is there, and under which licence",
    },
    json: { type: "boolean", description: "print one JSON object per event" },
  },
  async run({ args, data }) {
    const { signal }: VerbContext = data;
    const report = new Reporter(args);
    const parallel = numberOption("--parallel", args.parallel, { min: 1, max: 32, integer: true });
    const weights = await weightsFor(args);
    const { requestFor } = await import("../hub/open-weights.ts");
    const requests = weights?.map(requestFor) ?? [requestOf(args)];
    const { openHub } = await import("../hub/hub.ts");
    const hub = openHub();
    const { PullReport } = await import("./pull-report.ts");
    const told = new PullReport(report, hub.settings.cache, weights ?? []);
    if (args["dry-run"]) return dryRun(hub, requests, weights, signal, told);
    const { planPull } = await import("../hub/plan.ts");
    const plan = await planPull(hub, requests, { signal, onRetry: told.retry });
    await run(hub, plan, { signal, parallel }, told);
  },
});

interface Options {
  readonly what?: string | undefined;
  readonly only?: string | undefined;
  readonly file?: string | undefined;
  readonly revision?: string | undefined;
}

/** The weights of the open preset that are asked for; undefined where a repository is. */
async function weightsFor({ what, only, file, revision }: Options) {
  if (what !== "open") {
    if (only !== undefined) throw new UserError("--only goes with open; --file chooses files");
    return undefined;
  }
  if (file !== undefined || revision !== undefined) {
    throw new UserError("--file and --revision go with a repository; --only chooses parts of open");
  }
  const { DEFAULT_GROUPS, PUBLIC_WEIGHTS, WEIGHT_GROUPS } =
    await import("../presets/open-weights.ts");
  const groups = listed(only)?.map((group) => oneOf("--only", group, WEIGHT_GROUPS));
  return PUBLIC_WEIGHTS.filter(({ group }) => (groups ?? DEFAULT_GROUPS).includes(group));
}

function requestOf({ what = "", file, revision = "main" }: Options): Request {
  if (!what.includes("/")) {
    throw new UserError(
      `expected open or a repository as owner/name, got "${what.slice(0, 60)}"${suggestion(what, ["open"])}`,
    );
  }
  const patterns = listed(file);
  const isRequired = patterns !== undefined;
  const files = (patterns ?? READABLE).map(
    (pattern) => ({ type: "pattern", pattern, isRequired }) as const,
  );
  return { repository: what, revision, files };
}

function listed(text: string | undefined): string[] | undefined {
  return text
    ?.split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");
}

type PullReport = import("./pull-report.ts").PullReport;

async function dryRun(
  hub: Hub,
  requests: readonly Request[],
  weights: readonly PublicWeights[] | undefined,
  signal: AbortSignal,
  told: PullReport,
): Promise<void> {
  const { planPull } = await import("../hub/plan.ts");
  const { HubError } = await import("../hub/errors.ts");
  const { estimate } = await import("../hub/open-weights.ts");
  const guess = async () => {
    const estimates = await Promise.all((weights ?? []).map((one) => estimate(hub, one)));
    told.estimate(estimates);
  };
  if (hub.settings.offline && weights !== undefined) return guess();
  try {
    told.plan(await planPull(hub, requests, { signal, tries: 1 }));
  } catch (error) {
    if (!(error instanceof HubError) || weights === undefined) throw error;
    told.cannotAsk(error.message);
    await guess();
  }
}

async function run(
  hub: Hub,
  plan: readonly PlannedRepository[],
  options: { readonly signal: AbortSignal; readonly parallel: number },
  told: PullReport,
): Promise<void> {
  const { pull } = await import("../hub/pull.ts");
  const started = performance.now();
  const events = pull(hub, plan, options);
  for (let next = await events.next(); ; next = await events.next()) {
    if (next.done === true) return told.done(next.value, (performance.now() - started) / 1000);
    told.event(next.value);
  }
}
