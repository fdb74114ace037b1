import type { Socket } from "node:net";

export interface Silence {
  /** The other end said something. */
  heard(bytes: Uint8Array): void;
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
  // The start of the session is answered as a request is.
  let open = 1;
  let copies = false;
  const sent = createReader(true, (type) => {
    if (asking.has(type)) open += 1;
  });
  const received = createReader(false, (type) => {
    if (type === ready) open -= 1;
    if (copying.has(type)) copies = true;
  });
  const write = socket.write.bind(socket) as (...values: unknown[]) => boolean;
  socket.write = ((...values: unknown[]) => {
    waitingSince ??= performance.now();
    if (values[0] instanceof Uint8Array) sent(values[0]);
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
    heard: (bytes) => {
      copies = false;
      received(bytes);
      // Requests may be sent ahead of the answers. In a COPY it may be our turn.
      waitingSince = open > 0 && !copies ? performance.now() : null;
      late = false;
    },
    progress: () => {
      if (waitingSince !== null) waitingSince = performance.now();
    },
  };
}

/** Tells the types of messages of the protocol, wherever the stream is cut; a client's first one has none. */
function createReader(startup: boolean, take: (type: number) => void): (bytes: Uint8Array) => void {
  let untyped = startup;
  let type = 0;
  let size = 0;
  let known = 0;
  let body = 0;
  return (bytes) => {
    for (let at = 0; at < bytes.length; ) {
      if (body > 0) {
        const rest = Math.min(body, bytes.length - at);
        body -= rest;
        at += rest;
        continue;
      }
      const byte = bytes[at++]!;
      if (known === 0 && !untyped) type = byte;
      else size = size * 256 + byte;
      known += 1;
      if (known < (untyped ? 4 : 5)) continue;
      if (!untyped) take(type);
      body = Math.max(0, size - 4);
      untyped = false;
      size = 0;
      known = 0;
    }
  };
}

const code = (type: string) => type.charCodeAt(0);
/** Query and Sync: the server is ready for another query after each. */
const asking: ReadonlySet<number> = new Set([code("Q"), code("S")]);
const ready = code("Z");
const copying: ReadonlySet<number> = new Set(["G", "H", "W", "d"].map(code));

function silent(silenceMs: number): Error {
  return Object.assign(new Error(`the server was silent for ${silenceMs} ms`), { code: "CONNECTION_SILENT" });
}
