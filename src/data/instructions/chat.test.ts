import { describe, expect, test } from "vitest";
import { z } from "zod";
import { DataError, UserError } from "../../engine/errors.ts";
import {
  languageServer,
  type ChatReply,
  type ChatRequest,
  type LanguageServer,
} from "../../../test/support/language-server.ts";
import { ChatClient, type EndpointOptions } from "./chat.ts";

const schema = z.object({ word: z.string() });
const good: ChatReply = { type: "text", text: '{"word":"fox"}' };
const state = (status: number, body = "", headers = {}): ChatReply => {
  return { type: "state", status, body, headers };
};
const never = new AbortController().signal;

/** Asks a server that gives these replies in turn, the last one for ever. */
async function asked(
  replies: readonly (ChatReply | ((request: ChatRequest) => ChatReply))[],
  given: Partial<EndpointOptions> = {},
  signal = never,
): Promise<{
  answer: unknown;
  error: unknown;
  waits: number[];
  server: Pick<LanguageServer, "requests" | "url">;
}> {
  await using server = await languageServer((request) => {
    const reply = replies[Math.min(request.number, replies.length - 1)]!;
    return typeof reply === "function" ? reply(request) : reply;
  });
  const waits: number[] = [];
  const wait = async (seconds: number) => void waits.push(seconds);
  const client = new ChatClient({ url: server.url, model: "talker", wait, ...given });
  const messages = [{ role: "user", content: "a word?" }] as const;
  const { requests, url } = server;
  try {
    const answer = await client.ask({ messages, schema, taken: schema, seed: 7 }, signal);
    return { answer, error: undefined, waits, server: { requests, url } };
  } catch (error) {
    return { answer: undefined, error, waits, server: { requests, url } };
  }
}

describe("a question", () => {
  test("asks for structured output by the schema, with the key as a bearer token", async () => {
    const { answer, server } = await asked([good], { apiKey: "secret-key" });
    expect(answer).toEqual({ word: "fox" });
    const [{ path, headers, body } = { path: "", headers: {}, body: {} }] = server.requests;
    expect(path).toBe("/v1/chat/completions");
    expect(headers).toMatchObject({ authorization: "Bearer secret-key" });
    expect(body).toMatchObject({
      model: "talker",
      seed: 7,
      response_format: {
        type: "json_schema",
        json_schema: {
          strict: true,
          schema: { type: "object", required: ["word"], additionalProperties: false },
        },
      },
    });
  });

  test("goes without it, once refused, for good", async () => {
    await using server = await languageServer(({ body }) =>
      "response_format" in body ? state(400, "unknown field response_format") : good,
    );
    const client = new ChatClient({ url: `${server.url}/`, model: "old" });
    const messages = [{ role: "user", content: "?" }] as const;
    const question = { messages, schema, taken: schema, seed: 1 };
    expect(await client.ask(question, never)).toEqual({ word: "fox" });
    expect(await client.ask(question, never)).toEqual({ word: "fox" });
    expect(server.requests.map(({ body }) => Object.keys(body))).toEqual([
      expect.arrayContaining(["response_format"]),
      ["model", "messages"],
      ["model", "messages"],
    ]);
  });

  test("is answered by JSON among words and in a code fence too", async () => {
    const text = 'Sure! Here it is:\n```json\n{ "word": "fox" }\n```\nAnything else?';
    expect((await asked([{ type: "text", text }])).answer).toEqual({ word: "fox" });
  });

  test("is answered by the last JSON that fits, whatever brackets are around it", async () => {
    const text =
      '<think>{"word": "owl"}, or {another}?</think> {"word": "fox"} [1] Hope it helps {smile}';
    const { answer, server } = await asked([{ type: "text", text }]);
    expect(answer).toEqual({ word: "fox" });
    expect(server.requests).toHaveLength(1);
  });

  test("sends what cannot be read back for repair, with what is wrong", async () => {
    const broken: ChatReply = { type: "text", text: '{"word": "fo' };
    const other: ChatReply = { type: "text", text: '{"wort": "fox"}' };
    const { answer, server } = await asked([broken, other, good]);
    expect(answer).toEqual({ word: "fox" });
    const last = server.requests.at(-1)!.body.messages;
    expect(last.map(({ role }) => role)).toEqual([
      "user",
      "assistant",
      "user",
      "assistant",
      "user",
    ]);
    expect(last[2]!.content).toContain("it holds no whole JSON object");
    expect(last[4]!.content).toContain("word: ");
  });

  test("is given up after three answers that cannot be read", async () => {
    const { error, server } = await asked([{ type: "text", text: "a fox" }]);
    expect(error).toEqual(
      new DataError("talker answered no such JSON: it holds no whole JSON object"),
    );
    expect(server.requests).toHaveLength(3);
  });
});

describe("a fault that passes", () => {
  test("is waited for: longer each time, or as long as the server asks", async () => {
    const replies = [state(500), state(429, "", { "retry-after": "7" }), state(503), good];
    const { answer, waits } = await asked(replies);
    expect(answer).toEqual({ word: "fox" });
    expect(waits).toEqual([1, 7, 4]);
  });

  test("is waited for up to ten minutes if the server asks for that, and no longer", async () => {
    const later = new Date(Date.now() + 300_000).toUTCString();
    const past = new Date(Date.now() - 5000).toUTCString();
    const asks = ["120", "600", later, past].map((when) => state(429, "", { "retry-after": when }));
    const { answer, waits } = await asked([...asks, good]);
    expect(answer).toEqual({ word: "fox" });
    expect([waits[0], waits[1], waits[3]]).toEqual([120, 600, 0]);
    expect(waits[2]).toBeGreaterThan(240); // a date has no parts of a second, and the request takes its time
    expect(waits[2]).toBeLessThanOrEqual(300);
    const { error, waits: none } = await asked([state(429, "", { "retry-after": "7200" })]);
    expect(String(error)).toMatch(/answered 429 and asks to wait 120 minutes$/);
    expect(none).toEqual([]);
    const odd = await asked([state(503, "", { "retry-after": "soon" }), good]);
    expect(odd.waits).toEqual([1]);
  });

  test("may be a connection that is cut, or an answer that is no chat", async () => {
    const { answer, waits } = await asked([{ type: "cut" }, state(200, "<html>"), good]);
    expect(answer).toEqual({ word: "fox" });
    expect(waits).toEqual([1, 2]);
  });

  test("may be silence: a request has its time", async () => {
    const { error } = await asked([{ type: "silence" }], { timeoutSeconds: 0.02, tries: 2 });
    expect(error).toBeInstanceOf(DataError);
    expect(String(error)).toMatch(/gave no answer within 0\.02 s, 2 times in a row$/);
  });

  test("that does not pass ends the question, with what the server said", async () => {
    const { error, waits } = await asked([state(500, "out of\n memory")], { tries: 3 });
    expect(String(error)).toMatch(/answered 500 \(out of memory\), 3 times in a row$/);
    expect(waits).toEqual([1, 2]);
  });
});

describe("a fault that stays", () => {
  test.each([
    [state(401, "bad key secret-key"), UserError, /answered 401 \(bad key …\): put the key into/],
    [state(404, "no such model"), UserError, /answered 404 .*check the address and that it has/],
    [state(400, "too long"), DataError, /answered 400 \(too long\)$/],
  ])("is told at once, and never tells the key", async (reply, kind, sentence) => {
    const { error, waits } = await asked([reply], { apiKey: "secret-key" });
    expect(error).toBeInstanceOf(kind);
    expect(String(error)).toMatch(sentence);
    expect(String(error)).not.toContain("secret-key");
    expect(waits).toEqual([]);
  });

  test("may be an error in place of a chat: its words are told", async () => {
    const inPlace = (error: unknown) => asked([state(200, JSON.stringify({ error }))]);
    const { error, waits } = await inPlace("model requires\n more memory");
    expect(error).toBeInstanceOf(DataError);
    expect(String(error)).toMatch(/answered with an error \(model requires more memory\)$/);
    expect(waits).toEqual([]);
    const unknown = await inPlace({ code: 404, message: "no such model" });
    expect(unknown.error).toBeInstanceOf(UserError);
    const busy = await inPlace({ code: 502, message: "try later" });
    expect(String(busy.error)).toMatch(/answered 502 \(try later\), 5 times in a row$/);
  });

  test("may be a model that declines", async () => {
    const message = { content: null, refusal: "I would rather not" };
    const { error } = await asked([state(200, JSON.stringify({ choices: [{ message }] }))]);
    expect(error).toEqual(new DataError("talker declined: I would rather not"));
  });

  test("may be that nobody listens", async () => {
    const { url } = (await asked([good])).server;
    const client = new ChatClient({ url, model: "gone", tries: 2, wait: async () => {} });
    const question = { messages: [], schema, taken: schema, seed: 0 };
    await expect(client.ask(question, never)).rejects.toThrow(/cannot be reached \(.*\), 2 times/);
  });

  test.each(["localhost:11434", "ftp://x/v1", "", "not an address"])(
    "may be what is no address: %s",
    (url) => {
      expect(() => new ChatClient({ url, model: "x" })).toThrow(/expected an address such as/);
    },
  );
});

test("being stopped ends a request, and a wait, with the reason", async () => {
  const stop = new AbortController();
  const waiting = asked([state(500)], { wait: async () => stop.abort() }, stop.signal);
  expect((await waiting).error).toBe(stop.signal.reason);
  const inRequest = new AbortController();
  const reply = (): ChatReply => {
    inRequest.abort();
    return { type: "silence" };
  };
  expect((await asked([reply], {}, inRequest.signal)).error).toBe(inRequest.signal.reason);
});
