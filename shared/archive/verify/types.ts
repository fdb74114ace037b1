/** What verifying read. `bytes`: decompressed data, rows and large objects. */
export interface ArchiveContents {
  /** Each names the object and what is wrong with it; empty when everything reads. */
  readonly problems: readonly string[];
  /** What is unusual and harms nothing. */
  readonly notes: readonly string[];
  readonly tables: number;
  readonly rows: number;
  readonly bytes: number;
  readonly largeObjects: number;
}

export interface AnyVerification extends ArchiveContents {
  /** An archive's id or its place, without credentials. */
  readonly archive: string;
  /** null when it could not even be opened. */
  readonly format: "belay" | "directory" | "custom" | "plain" | null;
  /** What to do next when it could not be opened. */
  readonly hint?: string | null;
}
