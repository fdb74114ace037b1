import { readLacking } from "../../shared/archive/preflight.ts";
import { type Check, count, failed, naming, passed } from "./check.ts";

/** The scratch server has what the archive needs: version, extensions, roles. What lacks is not the backup's fault. */
export const environmentCheck: Check = {
  name: "environment",
  async run({ scratch, manifest }) {
    const lacking = await readLacking(scratch, manifest);
    const sourceMajor = Math.floor(manifest.source.serverVersionNum / 10_000);
    const scratchMajor = Math.floor(scratch.serverVersion / 10_000);
    if (scratchMajor < sourceMajor) lacking.push(`PostgreSQL ${sourceMajor} (the scratch server is ${scratchMajor})`);
    if (lacking.length > 0)
      return failed(naming("things are missing on the scratch server", lacking), "environment_mismatch");
    const { extensions, roles } = manifest;
    return passed(
      `PostgreSQL ${scratchMajor}, ${count(extensions.length, "extension")}, ${count(roles.length, "role")}: all there`,
    );
  },
};
