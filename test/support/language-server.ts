import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import { text } from "node:stream/consumers";
import { z } from "zod";
import { invariant } from "../../src/engine/errors.ts";

const Body = z.looseObject({
  model: z.string(),
  messages: z.array(z.object({ role: z.string(), content: z.string() })),
  response_format: z.unknown().optional(),
});

/** One request that the server got. */
export interface ChatRequest {
  /** Counts from 0. */
  readonly number: number;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: z.infer<typeof Body>;
}

/** What it is answered with: a chat with this text, another state, or a connection cut in the middle. */
export type ChatReply =
  | { readonly type: "text"; readonly text: string }
  | {
      readonly type: "state";
      readonly status: number;
      readonly body?: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  | { readonly type: "cut" }
  | { readonly type: "silence" };

/** A server on this machine that plays a language model. */
export interface LanguageServer extends AsyncDisposable {
  readonly url: string;
  readonly requests: readonly ChatRequest[];
}

/** Starts one; `reply` answers each request. */
export async function languageServer(
  reply: (request: ChatRequest) => ChatReply | Promise<ChatReply>,
): Promise<LanguageServer> {
  const requests: ChatRequest[] = [];
  const server = createServer(async (incoming, outgoing) => {
    const { url = "", headers } = incoming;
    const body = Body.parse(JSON.parse(await text(incoming)));
    const request = { number: requests.length, path: url, headers, body };
    requests.push(request);
    const answer = await reply(request);
    switch (answer.type) {
      case "text": {
        const message = { role: "assistant", content: answer.text };
        outgoing.end(JSON.stringify({ id: "x", choices: [{ index: 0, message }] }));
        break;
      }
      case "state":
        outgoing.writeHead(answer.status, answer.headers).end(answer.body ?? "");
        break;
      case "cut":
        outgoing.writeHead(200, { "content-length": "1000" });
        outgoing.write('{"choices":');
        outgoing.socket?.end();
        break;
      case "silence":
        break;
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  invariant(typeof address === "object" && address, "the server listens on a port");
  return {
    url: `http://127.0.0.1:${address.port}/v1`,
    requests,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
