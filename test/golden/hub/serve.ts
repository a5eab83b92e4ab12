import { HubServer } from "../../support/hub-server.ts";
import { repository } from "./repository.ts";

// node serve.ts: a hub on this machine. Prints its address, then a line per request; ends with its input.

const server = await HubServer.start(repository);
server.fault = ({ host, method, url }) => {
  process.stdout.write(`${host} ${method} ${url}\n`);
  return undefined;
};
process.stdout.write(`${server.endpoint}\n`);
for await (const _ of process.stdin);
await server[Symbol.asyncDispose]();
