import { connect, type Socket } from "node:net";
import { createFrameFilter, type FrameFilter, type RowSink } from "./copy-frames.ts";
import { type Silence, watchSilence } from "./silence.ts";
import { secured, type TlsMode } from "./tls.ts";

/** Where the driver would connect to: the part of its options that matters here. */
interface Target {
  readonly host: readonly string[];
  readonly port: readonly number[];
  readonly path?: string | false;
}

/** Seconds of silence after which the kernel asks whether the server is still there. */
const keepAliveSeconds = 30;

/** What a COPY needs of its session's connection. */
export interface Wire {
  /** Rows that arrive from now on go to `sink` and not to the driver; null: to the driver again. */
  divert(sink: RowSink | null): void;
  pause(): void;
  resume(): void;
  /** Sends bytes past the driver, as one piece and without a copy; `done` is called when the system has taken them. */
  send(parts: readonly Uint8Array[], done: (error?: Error | null) => void): void;
}

export interface Sockets extends Wire {
  open(target: Target): Promise<Socket>;
  destroyAll(): void;
}

/**
 * Opens the driver's sockets, encrypted as `tls` says, so that a session can cut them (the driver's own end waits for
 * an answer that never comes while a COPY is under way) and take rows off the wire before the driver sees them.
 */
export function createSockets(
  patience: { readonly connectMs: number; readonly silenceMs: number | null },
  tls: TlsMode,
  onLost: () => void,
): Sockets {
  const sockets = new Set<Socket>();
  let main: { socket: Socket; filter: FrameFilter; silence: Silence } | undefined;
  return {
    open: async (target) => {
      // The driver connects again by itself for what waits in its queue: that would run outside of its transaction.
      if (main !== undefined) throw Object.assign(new Error("the connection is closed"), { code: "CONNECTION_CLOSED" });
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
      const timer = setTimeout(() => socket.destroy(timedOut()), patience.connectMs);
      socket.once("error", reject).once("connect", resolve);
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
      let safe: Socket;
      try {
        await promise;
        socket.removeListener("error", reject).removeListener("connect", resolve);
        socket.setNoDelay(true);
        safe = await secured(socket, host, tls);
      } catch (error) {
        socket.destroy();
        throw error;
      } finally {
        clearTimeout(timer);
      }
      safe.once("error", onLost).once("close", onLost);
      const silence = watchSilence(safe, patience.silenceMs);
      main = { socket: safe, filter: filtered(safe, silence), silence };
      return safe;
    },
    destroyAll: () => {
      for (const socket of sockets) socket.destroy();
    },
    divert: (sink) => main?.filter.divert(sink),
    pause: () => main?.socket.pause(),
    resume: () => main?.socket.resume(),
    send: (parts, done) => {
      if (main === undefined || main.socket.destroyed) return done(new Error("the connection is closed"));
      const { socket, silence } = main;
      const taken = (error?: Error | null) => {
        silence.progress();
        done(error);
      };
      socket.cork();
      parts.forEach((part, at) => {
        socket.write(part, at === parts.length - 1 ? taken : undefined);
      });
      socket.uncork();
    },
  };
}

/** Puts a filter between a socket and the one who listens to its data. */
function filtered(socket: Socket, silence: Silence): FrameFilter {
  let listener: (chunk: Uint8Array) => void = () => {};
  const filter = createFrameFilter((chunk) => listener(chunk));
  const on = socket.on.bind(socket) as (event: string, listener: (...values: never[]) => void) => Socket;
  socket.on = ((event: string, wanted: (...values: never[]) => void) => {
    if (event !== "data") return on(event, wanted);
    listener = wanted as (chunk: Uint8Array) => void;
    return on("data", (chunk: Uint8Array) => {
      silence.heard(chunk);
      try {
        filter.take(chunk);
      } catch (error) {
        socket.destroy(error as Error);
      }
    });
  }) as Socket["on"];
  return filter;
}

function timedOut(): Error {
  return Object.assign(new Error("the server did not answer in time"), { code: "CONNECT_TIMEOUT" });
}
