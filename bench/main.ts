/** `npm run bench -- NAME [--json]`: runs bench/NAME.ts with the other words. */
const names = ["catalog", "dump", "edge", "lock-time", "plan", "prove", "restore"];
const [name, ...rest] = process.argv.slice(2);
if (name === undefined || !names.includes(name)) {
  console.error(`usage: npm run bench -- NAME [--json]\n\nbenches: ${names.join(", ")}`);
  process.exitCode = 2;
} else {
  process.argv = [process.argv[0]!, `${import.meta.dirname}/${name}.ts`, ...rest];
  await import(`./${name}.ts`);
}
