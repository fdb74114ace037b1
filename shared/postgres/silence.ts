import type { Socket } from "node:net";

export interface Silence {
  /** The other end said something. */
  heard(): void;
  /** The system took bytes of ours: somebody reads them. */
  progress(): void;
}

/**
 * Cuts a connection whose other end does not answer for `silenceMs`: one that a network, a proxy or a frozen server holds
 * open says nothing by itself. Silence with nothing asked is none.
 */
export function watchSilence(socket: Socket, silenceMs: number | null): Silence {
  if (silenceMs === null) return { heard: () => {}, progress: () => {} };
  let waitingSince: number | null = null;
  let late = false;
  const write = socket.write.bind(socket) as (...values: unknown[]) => boolean;
  socket.write = ((...values: unknown[]) => {
    waitingSince ??= performance.now();
    return write(...values);
  }) as Socket["write"];
  const timer = setInterval(
    () => {
      if (waitingSince === null || performance.now() - waitingSince < silenceMs) return;
      // When our own process stood still, the answer may be there and only not read yet.
      if (late) socket.destroy(silent(silenceMs));
      late = true;
    },
    Math.max(50, Math.min(1_000, silenceMs / 4)),
  );
  timer.unref();
  socket.once("close", () => clearInterval(timer));
  return {
    heard: () => {
      waitingSince = null;
      late = false;
    },
    progress: () => {
      if (waitingSince !== null) waitingSince = performance.now();
    },
  };
}

function silent(silenceMs: number): Error {
  return Object.assign(new Error(`the server was silent for ${silenceMs} ms`), { code: "CONNECTION_SILENT" });
}
