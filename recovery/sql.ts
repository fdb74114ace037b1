import { quoteIdent } from "../shared/catalog/identifiers.ts";

/** Lets writers into a database again. */
export function allowWritersSql(database: string): string {
  return `ALTER DATABASE ${quoteIdent(database)} RESET default_transaction_read_only;`;
}
