import { connect, createServer, type Socket } from "node:net";
import { applicationOf, createFrames, type Frame, sqlOf } from "./frames.ts";

/** A statement that passed: whose connection sent it, and which of that name's statements it was, from 0 on. */
export interface Statement {
  readonly application: string;
  readonly ordinal: number;
  readonly sql: string;
}

/**
 * What becomes of a connection. `cut`: both ends see it close. `lost_client`: the client sees it close, the server
 * does not. `lost_server`: the other way round. `frozen`: nothing passes, both ends stay open.
 */
export type Break = "cut" | "lost_client" | "lost_server" | "frozen";

/** Told of every statement before the server gets it and after its whole answer came; the bytes wait for the promise. */
export type Watch = (statement: Statement, when: "before" | "after", link: Link) => void | Promise<void>;

/** One connection through the proxy. */
export interface Link {
  readonly application: string;
  break(how: Break): void;
}

export interface WireProxy {
  readonly port: number;
  readonly links: ReadonlySet<Link>;
  watch(watch: Watch | null): void;
  /** Milliseconds by which every message of the server is late. */
  delay(ms: number): void;
  /** New connections are refused, as when the network is gone. */
  refuse(refused: boolean): void;
  /** Ends all connections and faults. */
  heal(): void;
  close(): void;
}

/** A proxy in front of Postgres that sees each statement and can break each connection at any of them. */
export async function startWireProxy(server: () => number): Promise<WireProxy> {
  const links = new Set<Link>();
  const ordinals = new Map<string, number>();
  const state: State = { watch: null, delayMs: 0, ordinals };
  let refused = false;
  const listener = createServer((client) => {
    if (refused) return void client.destroy();
    const link = openLink(client, connect(server(), "127.0.0.1"), state, () => links.delete(link));
    links.add(link);
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const heal = () => {
    state.watch = null;
    state.delayMs = 0;
    refused = false;
    ordinals.clear();
    for (const link of links) link.break("cut");
  };
  return {
    port: (listener.address() as { port: number }).port,
    links,
    watch: (watch) => {
      ordinals.clear();
      state.watch = watch;
    },
    delay: (ms) => {
      state.delayMs = ms;
    },
    refuse: (now) => {
      refused = now;
    },
    heal,
    close: () => {
      heal();
      listener.close();
    },
  };
}

interface State {
  watch: Watch | null;
  delayMs: number;
  readonly ordinals: Map<string, number>;
}

function openLink(client: Socket, server: Socket, state: State, gone: () => void): Link {
  let application = "";
  let broken: Break | null = null;
  const sent: Statement[] = [];
  const link: Link = {
    get application() {
      return application;
    },
    break: (how) => {
      broken = how;
      if (how === "cut" || how === "lost_client") client.destroy();
      if (how === "cut" || how === "lost_server") server.destroy();
      if (client.destroyed && server.destroyed) gone();
    },
  };
  const observe = async (statement: Statement, when: "before" | "after") => {
    await state.watch?.(statement, when, link);
  };
  const fromClient = async (frame: Frame) => {
    if (frame.type === "" && application === "") application = applicationOf(frame);
    const sql = sqlOf(frame);
    if (sql !== null) {
      const ordinal = state.ordinals.get(application) ?? 0;
      state.ordinals.set(application, ordinal + 1);
      const statement = { application, ordinal, sql };
      sent.push(statement);
      await observe(statement, "before");
    }
    if (broken === null) server.write(frame.bytes);
  };
  const fromServer = async (frame: Frame) => {
    const answered = frame.type === "Z" ? sent.shift() : undefined;
    if (answered !== undefined) await observe(answered, "after");
    if (state.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, state.delayMs));
    if (broken === null) client.write(frame.bytes);
  };
  pump(client, createFrames({ startup: true }), fromClient);
  pump(server, createFrames({ startup: false }), fromServer);
  // What one end closes, the other sees closed, unless the fault is that it does not.
  const ends = [
    [client, server],
    [server, client],
  ] as const;
  for (const [one, other] of ends)
    one.once("close", () => {
      if (broken === null || broken === "cut") other.destroy();
      if (client.destroyed && server.destroyed) gone();
    });
  return link;
}

/** Handles messages one after the other; the socket waits while one is held. */
function pump(socket: Socket, frames: (chunk: Buffer) => Frame[], handle: (frame: Frame) => Promise<void>): void {
  let queue = Promise.resolve();
  socket.setNoDelay(true);
  socket.on("error", () => {});
  socket.on("data", (chunk: Buffer) => {
    socket.pause();
    queue = queue.then(async () => {
      for (const frame of frames(chunk)) await handle(frame);
      socket.resume();
    });
  });
}
