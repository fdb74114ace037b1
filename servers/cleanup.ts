/** Something that was started and must not outlive this process. */
export interface Started {
  /** Orderly end; waits until it is gone. */
  stop(): Promise<void>;
  /** Last resort without waiting, when the process is already leaving. */
  kill(): void;
}

const running = new Set<Started>();
let installed = false;
let stopping = false;

/** Registers what was started, so that Ctrl-C, SIGTERM, a failure or a plain exit stops it. Returns how to forget it. */
export function stopAtExit(started: Started): () => void {
  install();
  running.add(started);
  return () => running.delete(started);
}

/** Stops all that is registered, the last started first. */
export async function stopAll(): Promise<void> {
  for (const started of [...running].reverse()) {
    running.delete(started);
    await started.stop().catch(() => started.kill());
  }
}

/** Whether a signal is already ending this process: errors are then only echoes of what was stopped. */
export function isLeaving(): boolean {
  return stopping;
}

const signals = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

function install(): void {
  if (installed) return;
  installed = true;
  for (const [signal, code] of Object.entries(signals)) {
    process.on(signal, () => void leave(code));
  }
  process.on("uncaughtException", (error) => {
    console.error(error);
    void leave(1);
  });
  process.on("exit", () => {
    for (const started of running) started.kill();
  });
}

async function leave(code: number): Promise<void> {
  if (stopping) return;
  stopping = true;
  await stopAll();
  process.exit(code);
}
