export { TocCut } from "./toc-input.ts";
export { readToc } from "./toc-reader.ts";
export type { DataOffset, DataPosition, Toc, TocEntry } from "./toc-types.ts";
export { writeToc } from "./toc-writer.ts";
