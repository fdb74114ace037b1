/** Takes the rows of a COPY out of a connection's stream. */
export interface RowSink {
  /** Bytes `from` to `to` of `chunk` are COPY text; the chunk is not the sink's to keep. */
  add(chunk: Uint8Array, from: number, to: number): void;
  /** All of one read of the socket is taken in. */
  taken(): void;
}

/** Stands between a socket and the driver that listens to it. */
export interface FrameFilter {
  /** Takes one read of the socket; throws a RangeError when the stream is not the protocol's. */
  take(chunk: Uint8Array): void;
  /** From the next frame on, CopyData goes to `sink` and all else to the driver; null: everything to the driver. */
  divert(sink: RowSink | null): void;
}

const copyData = 0x64;
const headerBytes = 5;

/**
 * Splits a server's messages (PostgreSQL manual, "Message Formats": a type byte, a length that counts itself, content)
 * at whatever byte a read ends. Each CopyData frame costs a driver an event and an object; here it costs its bytes.
 */
export function createFrameFilter(forward: (chunk: Uint8Array) => void): FrameFilter {
  let sink: RowSink | null = null;
  let left = 0;
  let diverted = false;
  const header = Buffer.alloc(headerBytes);
  let held = 0;

  const begin = (type: number, length: number) => {
    if (length < 4) throw new RangeError(`a message of type ${type} says that it is ${length} bytes long`);
    left = length - 4;
    diverted = sink !== null && type === copyData;
  };

  /** Completes a header that an earlier read ended in; returns where its content begins. */
  const complete = (chunk: Uint8Array): number => {
    const missing = Math.min(headerBytes - held, chunk.length);
    header.set(chunk.subarray(0, missing), held);
    held += missing;
    if (held < headerBytes) return missing;
    held = 0;
    begin(header[0]!, header.readUInt32BE(1));
    if (!diverted) forward(Buffer.from(header));
    return missing;
  };

  const take = (chunk: Uint8Array) => {
    let at = held > 0 ? complete(chunk) : 0;
    // Where the bytes begin that go to the driver as one piece.
    let start = at;
    while (at < chunk.length) {
      if (left > 0) {
        const end = Math.min(at + left, chunk.length);
        if (diverted) {
          sink?.add(chunk, at, end);
          start = end;
        }
        left -= end - at;
        at = end;
        continue;
      }
      if (chunk.length - at < headerBytes) {
        if (at > start) forward(chunk.subarray(start, at));
        header.set(chunk.subarray(at), 0);
        held = chunk.length - at;
        return;
      }
      const length = ((chunk[at + 1]! << 24) | (chunk[at + 2]! << 16) | (chunk[at + 3]! << 8) | chunk[at + 4]!) >>> 0;
      begin(chunk[at]!, length);
      if (diverted) {
        if (at > start) forward(chunk.subarray(start, at));
        start = at + headerBytes;
      }
      at += headerBytes;
    }
    if (chunk.length > start) forward(chunk.subarray(start));
  };

  return {
    take: (chunk) => {
      take(chunk);
      sink?.taken();
    },
    divert: (to) => {
      sink = to;
    },
  };
}
