import { openArchive } from "../../shared/archive/read/open.ts";
import { restoreArchive } from "../../shared/archive/restore/restore.ts";

/** Restores, and ends itself without a word after some bytes of one table's rows, or when a phase begins. */
const [place, url, table, bytes] = process.argv.slice(2) as [string, string, string, string];
const archive = await openArchive(place);
if (archive.format === "plain") throw new Error("not plain");
let left = Number(bytes);
await restoreArchive({
  archive: {
    ...archive,
    data: async function* (entry) {
      for await (const chunk of archive.data(entry)) {
        if (entry.tag === table) left -= chunk.length;
        if (left < 0) process.kill(process.pid, "SIGKILL");
        yield chunk;
      }
    },
  },
  url,
  jobs: 2,
});
