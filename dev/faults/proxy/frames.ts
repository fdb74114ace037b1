/** One message of the Postgres protocol; `type` is empty for the first messages of a connection, which have none. */
export interface Frame {
  readonly type: string;
  readonly bytes: Buffer;
}

/** Cuts a stream of the Postgres protocol into messages, wherever the network cut it. */
export function createFrames(begin: { readonly startup: boolean }): (chunk: Buffer) => Frame[] {
  let rest: Buffer = Buffer.alloc(0);
  let startup = begin.startup;
  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const frames: Frame[] = [];
    for (;;) {
      const head = startup ? 0 : 1;
      if (rest.length < head + 4) return frames;
      const size = head + rest.readInt32BE(head);
      if (rest.length < size) return frames;
      const bytes = rest.subarray(0, size);
      rest = rest.subarray(size);
      frames.push({ type: startup ? "" : String.fromCharCode(bytes[0]!), bytes });
      // Cancel and encryption requests are eight or sixteen bytes; the real start names its parameters.
      if (startup && bytes.readInt32BE(4) === 196_608) startup = false;
    }
  };
}

/** SQL text of a simple query or a parse message; null for any other. */
export function sqlOf({ type, bytes }: Frame): string | null {
  if (type === "Q") return bytes.toString("utf8", 5, bytes.length - 1);
  if (type !== "P") return null;
  const text = bytes.indexOf(0, 5) + 1;
  return bytes.toString("utf8", text, bytes.indexOf(0, text));
}

/** `application_name` of a start message. */
export function applicationOf({ bytes }: Frame): string {
  const words = bytes.toString("utf8", 8).split("\0");
  const at = words.indexOf("application_name");
  return at < 0 ? "" : (words[at + 1] ?? "");
}
