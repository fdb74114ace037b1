/** A stored object as a listing or a head request shows it. `size` in bytes. */
export interface StoredObject {
  readonly key: string;
  readonly size: number;
  readonly modified: Date | null;
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
  /**
   * Streams an object down, or the bytes of `range`; throws `store_missing_object` when it is not there, `store_failed`
   * when the answer is cut short or the range is not in the object.
   */
  read(key: string, range?: ByteRange): AsyncIterable<Uint8Array>;
  head(key: string): Promise<StoredObject | null>;
  /** Objects whose key starts with `prefix`, in key order. */
  list(prefix: string): AsyncIterable<StoredObject>;
  /** Removes an object; absent is fine. */
  delete(key: string): Promise<void>;
}
