import { hubAt, everything, pullAll } from "./hub-client.ts";

// node pull-and-die.ts <endpoint> <cache> <repository> <bytes>: pulls, and is killed when so many bytes have come.

const [, , endpoint = "", cache = "", repository = "", bytes = ""] = process.argv;
const hub = hubAt(endpoint, cache);
hub.clock.step = 1000; // so that progress is told with every piece
await pullAll(hub, [everything(repository)], {
  onEvent: (event) => {
    if (event.type === "progress" && event.bytes >= Number(bytes))
      process.kill(process.pid, "SIGKILL");
  },
});
