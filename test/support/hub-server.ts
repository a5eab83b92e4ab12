import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { once } from "node:events";

/** A repository that the server has: contents by path. Those ending in `.safetensors` lie on the other host. */
export interface ServedRepository {
  readonly name: string;
  readonly commit: string;
  readonly files: Readonly<Record<string, Buffer>>;
  /** What the server does not give away without a token. */
  readonly isGated?: boolean;
}

/** A request that came in. */
export interface Seen {
  /** `hub` is the endpoint, `cdn` the host of another origin to which it redirects. */
  readonly host: "hub" | "cdn";
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** What the server does wrong with one answer. */
export type Fault =
  | { readonly type: "status"; readonly status: number; readonly headers?: Record<string, string> }
  /** Sends so many bytes of the body (or of another one) and cuts the connection. */
  | { readonly type: "cut"; readonly after: number; readonly content?: Buffer }
  /** Sends so many bytes of the body, and nothing more until the server is released. */
  | { readonly type: "hang"; readonly after: number }
  | { readonly type: "ignore-range" }
  /** Sends another body, headers as they would be for that one. */
  | { readonly type: "replace"; readonly content: Buffer }
  /** Sends other headers than it should, and then the right body, as far as they let it. */
  | { readonly type: "headers"; readonly headers: Record<string, string> }
  | { readonly type: "redirect"; readonly location: string }
  /** Sends another body, and does not say how long it is. */
  | { readonly type: "chunked"; readonly content: Buffer }
  /** Never answers. */
  | { readonly type: "silent" };

/** The content of a file of tests: bytes that repeat nowhere soon, from a formula. */
export function content(bytes: number, seed: number): Buffer {
  let state = seed;
  const result = Buffer.alloc(bytes);
  for (let i = 0; i < bytes; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    result[i] = state >>> 24;
  }
  return result;
}

export const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");

export const gitSha1 = (bytes: Buffer) =>
  createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");

/** A hub on this machine, with a second host that its large files lie on, and faults at the test's choice. */
export class HubServer implements AsyncDisposable {
  readonly seen: Seen[] = [];
  /** Entries per page of a listing. */
  pageSize = 1000;
  /** The `rel="next"` link of a page, which some mirrors get wrong. */
  nextLink = (path: string) => path;
  /** Asked at every request what is to go wrong with it. */
  fault: (seen: Seen) => Fault | undefined = () => undefined;
  readonly #repositories: readonly ServedRepository[];
  readonly #hub: Server;
  readonly #cdn: Server;
  readonly #signatures = new Set<string>();
  #count = 0;
  #release: () => void = () => {};
  readonly #released = new Promise<void>((resolve) => {
    this.#release = resolve;
  });

  private constructor(repositories: readonly ServedRepository[]) {
    this.#repositories = repositories;
    this.#hub = createServer((request, response) => void this.#answer("hub", request, response));
    this.#cdn = createServer((request, response) => void this.#answer("cdn", request, response));
  }

  static async start(...repositories: readonly ServedRepository[]): Promise<HubServer> {
    const server = new HubServer(repositories);
    for (const one of [server.#hub, server.#cdn]) {
      one.listen(0, "127.0.0.1");
      await once(one, "listening");
    }
    return server;
  }

  get endpoint(): string {
    return originOf(this.#hub);
  }

  get cdn(): string {
    return originOf(this.#cdn);
  }

  /** No address that was handed out works any longer. */
  expireAddresses(): void {
    this.#signatures.clear();
  }

  /** Lets everything go on that hangs. */
  release(): void {
    this.#release();
  }

  /** How many requests for contents came to either host. */
  get downloads(): readonly Seen[] {
    const isDownload = ({ host, url, method }: Seen) =>
      host === "cdn" || (method === "GET" && url.includes("/resolve/"));
    return this.seen.filter(isDownload);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.release();
    for (const server of [this.#hub, this.#cdn]) {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }

  async #answer(host: "hub" | "cdn", request: IncomingMessage, response: ServerResponse) {
    const { method = "", url = "", headers } = request;
    const seen = { host, method, url, headers };
    this.seen.push(seen);
    response.on("error", () => {}); // whoever cuts a connection finds it cut
    const fault = this.fault(seen);
    if (fault?.type === "silent") return;
    if (fault?.type === "status") {
      response.writeHead(fault.status, fault.headers).end("no");
    } else if (fault?.type === "redirect") {
      response.writeHead(302, { location: fault.location }).end();
    } else if (host === "cdn") {
      await this.#serveSigned(seen, response, fault);
    } else if (url.startsWith("/api/")) this.#serveList(url, response, fault);
    else await this.#serveResolve(seen, response, fault);
  }

  #serveList(url: string, response: ServerResponse, fault: Fault | undefined): void {
    const [, name = "", kind, revision = ""] =
      /^\/api\/models\/([^/]+\/[^/]+)\/(revision|tree)\/([^?]+)/.exec(url) ?? [];
    const repository = this.#repositories.find((one) => one.name === name);
    if (repository === undefined) return refuse(response, 404, "RepoNotFound");
    const { commit } = repository;
    if (revision !== "main" && revision !== commit) {
      return refuse(response, 404, "RevisionNotFound");
    }
    if (fault?.type === "replace") return void response.end(fault.content);
    if (kind === "revision") return sendJson(response, { id: name, sha: commit, siblings: [] });
    const start = Number(new URL(url, this.endpoint).searchParams.get("cursor") ?? 0);
    const entries = Object.entries(repository.files).map(([path, bytes]) => entryOf(path, bytes));
    if (start + this.pageSize < entries.length) {
      const next = `/api/models/${name}/tree/${revision}?recursive=true&cursor=${start + this.pageSize}`;
      response.setHeader("link", `<${this.nextLink(next)}>; rel="next"`);
    }
    sendJson(response, entries.slice(start, start + this.pageSize));
  }

  async #serveResolve(seen: Seen, response: ServerResponse, fault: Fault | undefined) {
    const [, name = "", commit = "", path = ""] =
      /^\/([^/]+\/[^/]+)\/resolve\/([^/]+)\/(.+)$/.exec(seen.url) ?? [];
    const repository = this.#repositories.find((one) => one.name === name);
    if (repository === undefined) return refuse(response, 404, "RepoNotFound");
    if (repository.isGated === true && seen.headers["authorization"] === undefined) {
      return refuse(response, 401, "GatedRepo");
    }
    const bytes = repository.files[decodeURIComponent(path)];
    if (bytes === undefined) return refuse(response, 404, "EntryNotFound");
    response.setHeader("x-repo-commit", commit === "main" ? repository.commit : commit);
    if (!isLarge(path)) {
      response.setHeader("etag", `W/"${gitSha1(bytes)}"`);
      return this.#serveBytes(seen, response, bytes, fault);
    }
    const signature = `${++this.#count}`;
    this.#signatures.add(signature);
    response.writeHead(302, {
      "x-linked-etag": `"${sha256(bytes)}"`,
      "x-linked-size": `${bytes.length}`,
      location: `${this.cdn}/${sha256(bytes)}?signature=${signature}`,
      ...(fault?.type === "headers" ? fault.headers : {}),
    });
    response.end();
  }

  async #serveSigned(seen: Seen, response: ServerResponse, fault: Fault | undefined) {
    const url = new URL(seen.url, this.cdn);
    if (!this.#signatures.has(url.searchParams.get("signature") ?? "")) {
      response.writeHead(403).end("expired");
      return;
    }
    const all = this.#repositories.flatMap(({ files }) => Object.values(files));
    const bytes = all.find((one) => `/${sha256(one)}` === url.pathname);
    if (bytes === undefined) response.writeHead(404).end();
    else await this.#serveBytes(seen, response, bytes, fault);
  }

  async #serveBytes(
    { method, headers }: Seen,
    response: ServerResponse,
    whole: Buffer,
    fault: Fault | undefined,
  ): Promise<void> {
    if (fault?.type === "chunked" && method !== "HEAD") {
      response.write(fault.content);
      return void response.end();
    }
    const replaced = fault?.type === "replace" || fault?.type === "cut" ? fault.content : undefined;
    const all = replaced ?? whole;
    const range = /^bytes=(\d+)-(\d*)$/.exec(String(headers["range"] ?? ""));
    const isRange = range !== null && fault?.type !== "ignore-range";
    const start = isRange ? Number(range[1]) : 0;
    const end = isRange && range[2] !== "" ? Number(range[2]) + 1 : all.length;
    if (isRange && start >= all.length) return void response.writeHead(416).end();
    const body = all.subarray(start, end);
    response.writeHead(isRange ? 206 : 200, {
      "content-length": body.length,
      ...(isRange ? { "content-range": `bytes ${start}-${end - 1}/${all.length}` } : {}),
      ...(fault?.type === "headers" ? fault.headers : {}),
    });
    if (method === "HEAD") return void response.end();
    if (fault?.type !== "cut" && fault?.type !== "hang") return void response.end(body);
    await new Promise((resolve) => response.write(body.subarray(0, fault.after), resolve));
    if (fault.type === "cut") return void response.destroy();
    await this.#released;
    response.end(body.subarray(fault.after));
  }
}

function originOf(server: Server): string {
  const address = server.address();
  if (address === null || typeof address === "string")
    throw new Error("the server does not listen");
  return `http://127.0.0.1:${address.port}`;
}

function isLarge(path: string): boolean {
  return path.endsWith(".safetensors");
}

function entryOf(path: string, bytes: Buffer) {
  const entry = { type: "file", path, size: bytes.length, oid: gitSha1(bytes) };
  if (!isLarge(path)) return entry;
  const pointerSize = 134;
  return { ...entry, lfs: { oid: sha256(bytes), size: bytes.length, pointerSize } };
}

function sendJson(response: ServerResponse, value: unknown): void {
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify(value));
}

function refuse(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { "x-error-code": code }).end(code);
}
