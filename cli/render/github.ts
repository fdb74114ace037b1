import { isAbsolute, relative } from "node:path";
import type { Proof } from "../../shared/migrations/prove/types.ts";
import type { LayoutProblem } from "../../shared/migrations/types.ts";

type Level = "error" | "warning" | "notice";

/** A workflow command of GitHub Actions that annotates a line of a pull request; null for what needs no word. */
export function proofAnnotation(proof: Proof, fails: boolean): string | null {
  const again = proof.up_again === "differs" || proof.up_again === "fails";
  if (proof.verdict === "exact" && !again) return null;
  const forward = proof.verdict === "up-fails" || proof.verdict === "environment" || proof.rollback_file === null;
  const file = proof.error?.file ?? (forward ? proof.file : proof.rollback_file!);
  const line = proof.error?.line ?? (forward ? 1 : (proof.rollback_line ?? 1));
  const objects = proof.differences.map(({ how, key }) => `${how.replace("_", " ")}: ${key}`);
  const fix = proof.fix === null ? [] : ["", "This was tried and ends as before:", proof.fix];
  const body = [proof.message, ...objects.slice(0, 20), ...fix].join("\n");
  const column = proof.error?.column ?? null;
  const place = { file, line, ...(column === null ? {} : { col: column }) };
  return annotation(fails ? "error" : "warning", place, `${proof.migration}: ${proof.verdict}`, body);
}

export function problemAnnotation({ severity, message, place }: LayoutProblem): string {
  return annotation(severity, { file: place.file, line: place.line }, "migrations folder", message);
}

export function noticeAnnotation(title: string, message: string): string {
  return `::notice title=${property(title)}::${data(message)}`;
}

const longest = 60_000;

function annotation(
  level: Level,
  place: { readonly file: string; readonly line: number; readonly col?: number },
  title: string,
  message: string,
): string {
  const properties = { ...place, file: fromHere(place.file), title };
  const written = Object.entries(properties).map(([name, value]) => `${name}=${property(String(value))}`);
  return `::${level} ${written.join(",")}::${data(message.slice(0, longest))}`;
}

/** Annotations name files from the root of the checkout, where the workflow runs. */
function fromHere(file: string): string {
  return isAbsolute(file) ? relative(process.cwd(), file) : file.replace(/^\.\//, "");
}

/** Escapes as the toolkit's core/command does. */
function data(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function property(text: string): string {
  return data(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
