import type { Estimate } from "../hub/open-weights.ts";
import type { PlannedRepository } from "../hub/plan.ts";
import type { PullEvent, PullResult } from "../hub/pull.ts";
import type { Retry } from "../hub/retry.ts";
import type { PublicWeights } from "../presets/open-weights.ts";
import { byteSize } from "../engine/byte-size.ts";
import { duration, type Reporter, table } from "./output.ts";

/** A repository of a dry run. */
interface Row {
  readonly repository: string;
  readonly revision: string;
  readonly commit?: string;
  readonly folder: string | undefined;
  readonly files: readonly {
    readonly path: string;
    readonly size: number;
    readonly there: number;
  }[];
}

/** Says what a pull will do, does and has done. */
export class PullReport {
  readonly #report: Reporter;
  readonly #cache: string;
  readonly #weights: ReadonlyMap<string, PublicWeights>;

  constructor(report: Reporter, cache: string, weights: readonly PublicWeights[]) {
    this.#report = report;
    this.#cache = cache;
    this.#weights = new Map(weights.map((one) => [one.repository, one]));
  }

  /** A try that failed while the hub was asked for its lists. */
  readonly retry = (retry: Retry): void => {
    this.#report.warn(retryText(retry));
  };

  event(event: PullEvent): void {
    switch (event.type) {
      case "progress": {
        const { filesDone, files, bytes, totalBytes, bytesPerSecond } = event;
        const rate = `${byteSize(bytesPerSecond)}/s`;
        const detail = `${filesDone}/${files} files · ${byteSize(bytes)} of ${byteSize(totalBytes)} · ${rate}`;
        this.#report.progress({ ...event, detail });
        break;
      }
      case "retry":
        if (this.#report.json) this.#report.event({ ...event });
        else this.#report.warn(`${event.repository}: ${event.path}: ${retryText(event)}`);
        break;
      case "waiting":
        if (this.#report.json) this.#report.event(event);
        else this.#report.warn(`${event.path}: another process is fetching it; waiting`);
        break;
      case "file-pulled":
        this.#report.event(event);
        break;
      case "repository-pulled": {
        const licence = this.#weights.get(event.repository);
        const { repository, files, bytes, folder } = event;
        const terms = licence === undefined ? "" : `, licence ${licenceText(licence)}`;
        this.#report.event(
          { ...event, ...this.#about(repository) },
          `${repository}: ${filesText(files, bytes)}${terms}\n  ${folder}`,
        );
      }
    }
  }

  done({ files, bytes, receivedBytes }: PullResult, seconds: number): void {
    const came =
      receivedBytes === 0
        ? "all of it was there"
        : `${byteSize(receivedBytes)} came in ${duration(seconds)}`;
    this.#report.event(
      { type: "pulled", files, bytes, receivedBytes, seconds, cache: this.#cache },
      `${filesText(files, bytes)} in ${this.#cache}; ${came}`,
    );
  }

  /** A dry run that has asked the hub. */
  plan(plan: readonly PlannedRepository[]): void {
    const rows = plan.map(({ repository, revision, commit, folder, files }) => ({
      repository,
      revision,
      commit,
      folder,
      files: files.map((file) => ({
        path: file.path,
        size: file.size,
        there: file.type === "in-place" ? file.size : file.there,
      })),
    }));
    this.#dryRun(rows, false);
  }

  /** A dry run without the hub. */
  estimate(estimates: readonly Estimate[]): void {
    this.#dryRun(estimates, true);
  }

  cannotAsk(reason: string): void {
    this.#report.warn(`${reason}; sizes below are those that the preset expects`);
  }

  #dryRun(rows: readonly Row[], isEstimate: boolean): void {
    const about = isEstimate ? "≈ " : "";
    const lines = rows.map((row) => {
      const weights = this.#weights.get(row.repository);
      const cells = [
        row.repository,
        row.revision.slice(0, 12),
        `${row.files.length}`,
        byteSize(total(row, "size")),
        byteSize(total(row, "there")),
      ];
      return weights === undefined
        ? cells
        : [weights.group, weights.role, ...cells, licenceText(weights)];
    });
    const columns = ["repository", "revision", "files", `${about}size`, "there"];
    const head = this.#weights.size > 0 ? ["for", "as", ...columns, "licence"] : columns;
    for (const row of rows) {
      this.#report.event({
        type: "planned",
        ...row,
        bytes: total(row, "size"),
        bytesThere: total(row, "there"),
        isEstimate,
        ...this.#about(row.repository),
      });
    }
    this.#totals(rows, about, table([head, ...lines]));
  }

  #totals(rows: readonly Row[], about: string, text: string): void {
    const sum = (what: "size" | "there") => rows.reduce((all, row) => all + total(row, what), 0);
    const files = rows.reduce((all, row) => all + row.files.length, 0);
    const toCome = sum("size") - sum("there");
    const cache = this.#cache;
    this.#report.event(
      { type: "plan", files, bytes: sum("size"), bytesThere: sum("there"), cache },
      `${text}\n\n${about}${filesText(files, sum("size"))}, ${about}${byteSize(toCome)} of it to come, into ${cache} (HF_HUB_CACHE names another folder)`,
    );
  }

  #about(repository: string) {
    const weights = this.#weights.get(repository);
    if (weights === undefined) return {};
    const { group, role, licence } = weights;
    return { group, role, licence: licence ?? null };
  }
}

function total({ files }: Row, what: "size" | "there"): number {
  return files.reduce((sum, file) => sum + file[what], 0);
}

function licenceText({ licence }: PublicWeights): string {
  return licence ?? "not stated";
}

function filesText(files: number, bytes: number): string {
  return `${byteSize(bytes)} in ${files} ${files === 1 ? "file" : "files"}`;
}

function retryText({ reason, waitSeconds }: Retry): string {
  return `${reason}; again in ${duration(Math.max(1, waitSeconds))}`;
}
