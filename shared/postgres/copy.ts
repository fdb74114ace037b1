export { copyIn } from "./copy-in.ts";
export { copyOut } from "./copy-out.ts";
