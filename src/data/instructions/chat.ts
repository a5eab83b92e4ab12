import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { DataError, UserError } from "../../engine/errors.ts";
import { jsonOf } from "../../engine/json.ts";
import { jsonInText } from "./json-in-text.ts";

/** One turn of a conversation. */
export interface Message {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

/** An endpoint that answers like OpenAI's chat completions. */
export interface EndpointOptions {
  /** Up to and with its version: `http://localhost:11434/v1`. */
  readonly url: string;
  readonly model: string;
  /** Sent as a bearer token; never part of a message or an error. */
  readonly apiKey?: string | undefined;
  /** How long one request may take, in seconds. */
  readonly timeoutSeconds?: number;
  /** Tries of one request that fails for reasons that pass. */
  readonly tries?: number;
  /** Waits between tries; given in tests. */
  readonly wait?: (seconds: number, signal: AbortSignal) => Promise<void>;
}

/** An answer of a known shape that is asked for. */
export interface JsonQuestion<T> {
  readonly messages: readonly Message[];
  /** What is asked for. */
  readonly schema: z.ZodType;
  /** What is taken of an answer; the last JSON in it that fits. */
  readonly taken: z.ZodType<T>;
  /** Which of the possible answers, for endpoints that can. */
  readonly seed: number;
}

const Answer = z.looseObject({
  choices: z
    .array(
      z.looseObject({
        message: z.looseObject({
          content: z.string().nullish(),
          refusal: z.string().nullish(),
        }),
      }),
    )
    .min(1),
});

/** What some endpoints answer in place of a chat, with the state of one. */
const Failed = z.looseObject({
  error: z.union([
    z.string().transform((message) => ({ message, code: undefined })),
    z.looseObject({ message: z.string(), code: z.unknown() }),
  ]),
});

/** States that pass: too many requests, a busy or restarting server. */
const PASSING = new Set([408, 409, 425, 429, 500, 502, 503, 504, 529]);
/** States by which an endpoint says that it does not know a field of the request. */
const REFUSED_FIELD = new Set([400, 415, 422, 501]);
/** The longest pause between tries of which the server says nothing, in seconds. */
const LONGEST_PAUSE = 60;
/** The longest that a server may ask to wait, in seconds. */
const LONGEST_ASKED = 600;
/** Answers that are no such JSON after which a question is given up. */
const REPAIRS = 2;

/**
 * Asks a language model for JSON.
 *
 * It asks for structured output (`response_format: json_schema`) until the endpoint refuses that once; then, and
 * wherever the answer is no such JSON, plain text is read, and sent back for repair if need be.
 */
export class ChatClient {
  readonly model: string;
  readonly #url: string;
  readonly #options: EndpointOptions;
  #isStructured = true;

  /** Throws a UserError for what is no address. */
  constructor(options: EndpointOptions) {
    const { url, model } = options;
    if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
      throw new UserError(
        `expected an address such as http://localhost:11434/v1, got "${url.slice(0, 80)}"`,
      );
    }
    this.model = model;
    this.#url = `${url.replace(/\/+$/, "").replace(/\/chat\/completions$/, "")}/chat/completions`;
    this.#options = options;
  }

  /**
   * The model's answer.
   *
   * Throws a UserError where no question would be answered (a refused key, an unknown model), a DataError where this
   * one is not, and the signal's reason.
   */
  async ask<T>(
    { messages, schema, taken, seed }: JsonQuestion<T>,
    signal: AbortSignal,
  ): Promise<T> {
    const turns = [...messages];
    for (let repair = 0; ; repair++) {
      const text = await this.#complete(turns, schema, seed + repair, signal);
      const answers = jsonInText(text);
      const fitting = answers.map((answer) => taken.safeParse(answer));
      const found = fitting.findLast(({ success }) => success);
      if (found?.success) return found.data;
      const fault = faultOf(answers.at(-1), schema);
      if (repair === REPAIRS) throw new DataError(`${this.model} answered no such JSON: ${fault}`);
      turns.push(
        { role: "assistant", content: text },
        {
          role: "user",
          content: `That cannot be read: ${fault}. Send the corrected JSON object alone, with nothing around it.`,
        },
      );
    }
  }

  async #complete(
    messages: readonly Message[],
    schema: z.ZodType,
    seed: number,
    signal: AbortSignal,
  ): Promise<string> {
    const { tries = 5, wait = pause } = this.#options;
    for (let attempt = 1; ;) {
      const isStructured = this.#isStructured;
      const body = isStructured ? structured(messages, schema, seed) : { messages };
      const { text, fault, after } = await this.#post(body, isStructured, signal);
      if (text !== undefined) return text;
      if (fault === undefined) continue; // the endpoint refused a field: once more without
      if (attempt === tries) throw new DataError(`${fault}, ${tries} times in a row`);
      if (after !== undefined && after > LONGEST_ASKED)
        throw new DataError(`${fault} and asks to wait ${Math.round(after / 60)} minutes`);
      await wait(after ?? Math.min(LONGEST_PAUSE, 2 ** (attempt - 1)), signal);
      attempt++;
    }
  }

  /** One request: its text, or a fault that may pass and the seconds after which to try again. */
  async #post(
    body: Readonly<Record<string, unknown>>,
    isStructured: boolean,
    signal: AbortSignal,
  ): Promise<{ text?: string; fault?: string; after?: number | undefined }> {
    const { apiKey, timeoutSeconds = 120 } = this.#options;
    try {
      const response = await fetch(this.#url, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
        },
        body: JSON.stringify({ model: this.model, ...body }),
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutSeconds * 1000)]),
      });
      const text = await response.text();
      if (response.ok) return this.#contentOf(text);
      if (PASSING.has(response.status)) {
        return { fault: this.#stateOf(response.status, text), after: retryAfter(response) };
      }
      if (REFUSED_FIELD.has(response.status) && isStructured) {
        this.#isStructured = false;
        return {};
      }
      throw this.#refusal(response.status, text);
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof UserError || error instanceof DataError) throw error;
      return { fault: this.#networkFault(error, timeoutSeconds) };
    }
  }

  #contentOf(text: string): { text?: string; fault?: string } {
    const parsed = Answer.safeParse(jsonOf(text));
    if (!parsed.success) return this.#failureOf(text);
    const { content, refusal } = parsed.data.choices[0]!.message;
    if (refusal) throw new DataError(`${this.model} declined: ${this.#safe(refusal)}`);
    return { text: content ?? "" };
  }

  /** What went wrong, by an answer that is no chat; an error that would stay is thrown. */
  #failureOf(text: string): { fault: string } {
    const { error } = Failed.safeParse(jsonOf(text)).data ?? {};
    if (error === undefined)
      return { fault: `${this.#url} answered with something else than a chat` };
    const { message, code } = error;
    if (typeof code !== "number")
      throw new DataError(`${this.#url} answered with an error (${this.#safe(message)})`);
    if (PASSING.has(code)) return { fault: this.#stateOf(code, message) };
    throw this.#refusal(code, message);
  }

  #refusal(status: number, text: string): Error {
    const said = this.#stateOf(status, text);
    if (status === 401 || status === 403) {
      return new UserError(
        `${said}: put the key into OPENAI_API_KEY, or name its variable with --api-key-env`,
      );
    }
    if (status === 404 || status === 405) {
      return new UserError(`${said}: check the address and that it has the model ${this.model}`);
    }
    return new DataError(said);
  }

  #stateOf(status: number, text: string): string {
    const detail = this.#safe(text);
    return `${this.#url} answered ${status}${detail === "" ? "" : ` (${detail})`}`;
  }

  #networkFault(error: unknown, timeoutSeconds: number): string {
    if (error instanceof Error && error.name === "TimeoutError")
      return `${this.#url} gave no answer within ${timeoutSeconds} s`;
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    const reason = cause instanceof Error ? cause.message : String(cause);
    return `${this.#url} cannot be reached (${this.#safe(reason)})`;
  }

  /** A short line of a foreign text, without the key. */
  #safe(text: string): string {
    const { apiKey } = this.#options;
    const hidden = apiKey ? text.replaceAll(apiKey, "…") : text;
    return hidden.replaceAll(/\s+/g, " ").trim().slice(0, 160);
  }
}

function structured(
  messages: readonly Message[],
  schema: z.ZodType,
  seed: number,
): Record<string, unknown> {
  const { $schema: _, ...json } = z.toJSONSchema(schema, { target: "draft-7" });
  return {
    messages,
    temperature: 0.9,
    top_p: 0.9,
    seed,
    response_format: {
      type: "json_schema",
      json_schema: { name: "answer", strict: true, schema: json },
    },
  };
}

/** Why an answer is not what was asked for. */
function faultOf(answer: unknown, schema: z.ZodType): string {
  if (answer === undefined) return "it holds no whole JSON object";
  const { path = [], message = "" } = schema.safeParse(answer).error?.issues[0] ?? {};
  return `${path.join(".")}: ${message}`;
}

/** Seconds that a server asks to wait, where it says so: in seconds, or by the date until which. */
function retryAfter(response: Response): number | undefined {
  const said = response.headers.get("retry-after")?.trim() ?? "";
  if (/^\d+(\.\d+)?$/.test(said)) return Number(said);
  const until = said.endsWith("GMT") ? Date.parse(said) : Number.NaN;
  return Number.isNaN(until) ? undefined : Math.max(0, (until - Date.now()) / 1000);
}

async function pause(seconds: number, signal: AbortSignal): Promise<void> {
  await sleep(seconds * 1000, undefined, { signal });
}
