/** A stored object as a listing or a head request shows it. `size` in bytes. */
export interface StoredObject {
  readonly key: string;
  readonly size: number;
  readonly modified: Date | null;
  /** Set by `head` alone, where the store says that the object may not be removed yet. */
  readonly lock?: ObjectLock;
}

/** What keeps an object from being removed: a date, a legal hold without one, or both. */
export interface ObjectLock {
  readonly until: Date | null;
  readonly legalHold: boolean;
}

/** Bytes from `offset` on; `length` bytes, or to the end. */
export interface ByteRange {
  readonly offset: number;
  readonly length?: number;
}

export interface WriteOptions {
  /** Refuse with `store_exists` when the key is already there. */
  readonly createOnly?: boolean;
  /** Expected size in bytes; the part size of a multipart upload is chosen from it. */
  readonly sizeHint?: number;
  readonly contentType?: string;
  /** A crash may still take the object until `sync` was called for it: cheaper for many small ones. */
  readonly syncLater?: boolean;
}

/** An upload that was begun and is not published; it takes room until it is discarded. */
export interface UnfinishedUpload {
  /** The object's key; of a folder's temporary file, its own. */
  readonly key: string;
  /** Tells uploads of one key apart; "" where the key does. */
  readonly id: string;
  /** When it was begun, or its last bytes arrived. */
  readonly active: Date;
  /** Bytes that it holds. */
  readonly bytes: number;
}

/**
 * Where archives live. Keys are relative to the store's prefix, with `/` between parts and no `..`.
 * Errors are BelayErrors with a `store_` code. One contract suite (test/store) runs on every implementation.
 */
export interface ObjectStore {
  /** The place without credentials, for people and for the record. */
  readonly url: string;
  /** Streams an object up; memory stays flat. When `chunks` throws, nothing becomes visible under `key` and the upload is aborted. Returns the bytes written. */
  write(key: string, chunks: AsyncIterable<Uint8Array>, options?: WriteOptions): Promise<number>;
  /** Makes objects durable that were written with `syncLater`. */
  sync(keys: readonly string[]): Promise<void>;
  /**
   * Streams an object down, or the bytes of `range`; throws `store_missing_object` when it is not there, `store_failed`
   * when the answer is cut short or the range is not in the object.
   */
  read(key: string, range?: ByteRange): AsyncIterable<Uint8Array>;
  head(key: string): Promise<StoredObject | null>;
  /** Objects whose key starts with `prefix`, in key order. */
  list(prefix: string): AsyncIterable<StoredObject>;
  /** Names directly under `prefix` (which ends with a slash) that hold objects, in order: `a` for `prefix + "a/b"`. */
  listFolders(prefix: string): AsyncIterable<string>;
  /** Removes an object; absent is fine. Of a store with versions only the current one goes. Throws `store_denied` when it is locked. */
  delete(key: string): Promise<void>;
  /** Uploads under `prefix` that were begun and are not published, those of running writers among them: mind `active`. */
  unfinished(prefix: string): AsyncIterable<UnfinishedUpload>;
  /** Gives an unfinished upload up and frees its room; absent is fine. */
  discard(upload: UnfinishedUpload): Promise<void>;
}
