import { UserError } from "../engine/errors.ts";
import { HubError } from "./errors.ts";
import type { Hub } from "./hub.ts";
import type { Answer } from "./request.ts";

/** What was asked for, for the sentence that says why it cannot be had. */
export interface Subject {
  readonly repository: string;
  readonly revision: string;
  readonly path?: string;
}

/** Why the hub refuses (4xx), as one sentence that says what to do about it. */
export function refusal(hub: Hub, answer: Answer, subject: Subject): Error {
  const { endpoint, token } = hub.settings;
  const { repository, revision, path } = subject;
  const { status, headers } = answer;
  const page = `${endpoint}/${repository}`;
  const setToken =
    token === undefined ? "set HF_TOKEN to a token of" : "HF_TOKEN has to be a token of";
  switch (headers.get("x-error-code")) {
    case "GatedRepo":
      return new UserError(
        `${repository} is gated: accept its conditions on ${page}, and ${setToken} the account that accepted them`,
      );
    case "RevisionNotFound":
      return new UserError(
        `${repository} has no revision "${revision}": name a branch, tag or commit of it with --revision (usually main)`,
      );
    case "EntryNotFound":
      return new UserError(
        `${repository} has no file "${path ?? ""}" at revision ${revision}: ${page}/tree/${revision} lists what it has`,
      );
    case "RepoNotFound":
      return noRepository(repository, setToken);
    case null:
    default:
  }
  if (status === 404) return noRepository(repository, setToken);
  if (status === 401 && token !== undefined) {
    return new UserError(
      `${hostOf(endpoint)} does not accept the token: set HF_TOKEN to a valid one, or unset it (and HF_TOKEN_PATH) for public weights`,
    );
  }
  if (status === 401 || status === 403) {
    return new UserError(
      `${repository}: access denied (${status}); open ${page} to see what it asks for, and ${setToken} an account that may read it`,
    );
  }
  return new HubError(
    `${hostOf(endpoint)} answered ${status} to a question about ${repository}: try again later, or with another HF_ENDPOINT`,
  );
}

function noRepository(repository: string, setToken: string): UserError {
  return new UserError(
    `there is no repository ${repository}, or it is private: check the name, or ${setToken} an account that may read it`,
  );
}

function hostOf(endpoint: string): string {
  return new URL(endpoint).host;
}
