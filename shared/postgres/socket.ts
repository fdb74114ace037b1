import { connect, type Socket } from "node:net";

/** Where the driver would connect to: the part of its options that matters here. */
interface Target {
  readonly host: readonly string[];
  readonly port: readonly number[];
  readonly path?: string | false;
}

/** Seconds of silence after which the kernel asks whether the server is still there. */
const keepAliveSeconds = 30;

/**
 * Opens the driver's sockets, so that a session can cut them: the driver's own end waits for an answer that never
 * comes while a COPY is under way.
 */
export function createSockets(
  timeoutMs: number,
  onLost: () => void,
): {
  open(target: Target): Promise<Socket>;
  destroyAll(): void;
} {
  const sockets = new Set<Socket>();
  let first = true;
  return {
    open: async (target) => {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const host = target.host[0] ?? "localhost";
      const socket = target.path
        ? connect({ path: target.path })
        : connect({
            host,
            port: target.port[0] ?? 5432,
            keepAlive: true,
            keepAliveInitialDelay: keepAliveSeconds * 1000,
          });
      const timer = setTimeout(() => socket.destroy(timedOut()), timeoutMs);
      socket.once("error", reject).once("connect", resolve);
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
      try {
        await promise;
      } finally {
        clearTimeout(timer);
      }
      socket.removeListener("error", reject).removeListener("connect", resolve);
      socket.setNoDelay(true);
      // Later sockets carry the driver's requests to cancel.
      if (first) socket.once("error", onLost).once("close", onLost);
      first = false;
      // The driver names the server for TLS from this field.
      return Object.assign(socket, { host });
    },
    destroyAll: () => {
      for (const socket of sockets) socket.destroy();
    },
  };
}

function timedOut(): Error {
  return Object.assign(new Error("the server did not answer in time"), { code: "CONNECT_TIMEOUT" });
}
