import type { Buffer } from "node:buffer";
import { constants, createGunzip, createGzip, type Gunzip, type Gzip } from "node:zlib";

/**
 * Some compressors or decompressors that are used again and again, each for one piece at a time: to make one costs
 * memory that the runtime is slow to give back.
 */
export interface Lanes {
  /** `onOutput` hears what comes out when `bytes` go in, and must not keep it. */
  run(bytes: Uint8Array, onOutput: (output: Buffer) => void): Promise<void>;
  close(): void;
}

type Stream = (Gzip | Gunzip) & { reset(): void };

export function compressionLanes(level: number, chunkSize: number): Lanes {
  const make = () => createGzip({ level, memLevel: constants.Z_MAX_MEMLEVEL, chunkSize });
  return lanes(make, (stream, bytes, done) => {
    stream.write(bytes);
    stream.flush(constants.Z_FINISH, done);
  });
}

/**
 * Each piece must be one gzip member. Rejects with zlib's error when it is damaged; what is cut off behind is for the
 * caller to see: nothing, or less than all, comes out.
 */
export function decompressionLanes(chunkSize: number): Lanes {
  return lanes(
    () => createGunzip({ chunkSize }),
    (stream, bytes, done) => stream.write(bytes, done),
  );
}

type Feed = (stream: Stream, bytes: Uint8Array, done: () => void) => void;

function lanes(make: () => Gzip | Gunzip, feed: Feed): Lanes {
  const free: Stream[] = [];
  return {
    run: async (bytes, onOutput) => {
      const stream = free.pop() ?? made(make);
      try {
        await runThrough(stream, feed, bytes, onOutput);
        stream.reset();
        free.push(stream);
      } catch (error) {
        stream.destroy();
        throw error;
      }
    },
    close: () => {
      for (const stream of free.splice(0)) stream.destroy();
    },
  };
}

/** Deno says an error twice; the second one has no listener. */
function made(make: () => Gzip | Gunzip): Stream {
  const stream = make() as Stream;
  stream.on("error", () => {});
  return stream;
}

function runThrough(stream: Stream, feed: Feed, bytes: Uint8Array, onOutput: (output: Buffer) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (settle: () => void) => {
      stream.removeListener("data", onOutput).removeListener("error", failed);
      settle();
    };
    const failed = (error: Error) => end(() => reject(error));
    stream.on("data", onOutput).once("error", failed);
    feed(stream, bytes, () => end(resolve));
  });
}
