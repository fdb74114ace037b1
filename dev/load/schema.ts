/** A table that writers use, with its columns in the order in which they are compared. */
export interface LoadTable {
  readonly name: string;
  readonly key: readonly string[];
  readonly values: readonly string[];
}

export const tables: readonly LoadTable[] = [
  { name: "logs", key: ["id"], values: ["body"] },
  { name: "events", key: ["id"], values: ["body"] },
  { name: "rates", key: ["id"], values: ["v"] },
  { name: "orders", key: ["id"], values: ["v"] },
  { name: "items", key: ["id", "line"], values: ["v"] },
  { name: "parents", key: ["id"], values: ["v"] },
  { name: "children", key: ["id", "line"], values: ["v"] },
  { name: "people", key: ["id"], values: ["v", "tag"] },
];

export interface LoadMigration {
  readonly name: string;
  readonly up: string;
  readonly down: string;
}

const version = (number: number, what: string) => `2025010${number}000000_${what}`;

export const migrations: readonly LoadMigration[] = [
  {
    name: version(1, "base"),
    up: `create table people (id bigserial primary key, v int not null); create table rates (id int primary key, v int not null);
         insert into rates select n, 0 from generate_series(0, 99) n;`,
    down: "drop table people; drop table rates;",
  },
  {
    name: version(2, "logs"),
    up: "create table logs (id bigserial primary key, body text); create index on logs (body);",
    down: "drop table logs;",
  },
  {
    name: version(3, "events"),
    up: "create table events (id bigserial primary key, body text);",
    down: "update rates set v = -1; drop table events;",
  },
  {
    name: version(4, "orders"),
    up: `create table orders (id bigserial primary key, v int not null);
         create table items (id bigint references orders on delete cascade, line int, v int, primary key (id, line));`,
    down: "drop table items; drop table orders;",
  },
  {
    name: version(5, "parents"),
    up: `create table parents (id bigserial primary key, v int not null);
         create table children (id bigint references parents on delete cascade, line int, v int, primary key (id, line));
         create view families as select p.id, c.line from parents p join children c using (id);`,
    down: "drop table parents cascade; drop table children;",
  },
  {
    name: version(6, "tags"),
    up: "alter table people add column tag text;",
    down: "alter table people drop column tag;",
  },
];

/** What one rollback takes, and what its archive has to hold. */
export interface Scenario {
  readonly title: string;
  readonly targets: readonly string[];
  /** Tables that go. */
  readonly gone: readonly string[];
  /** Tables that the SQL changes: archived whole, and of this value until undo. */
  readonly changed: Readonly<Record<string, string>>;
  /** Columns that go, by table. */
  readonly columns: Readonly<Record<string, string>>;
}

const named = (number: number) => migrations[number - 1]!.name;

export const scenarios: readonly Scenario[] = [
  { title: "one table", targets: [named(2)], gone: ["logs"], changed: {}, columns: {} },
  {
    title: "a table, with an UPDATE of another",
    targets: [named(3)],
    gone: ["events"],
    changed: { rates: "-1" },
    columns: {},
  },
  { title: "two tables with a foreign key", targets: [named(4)], gone: ["orders", "items"], changed: {}, columns: {} },
  { title: "a cascade", targets: [named(5)], gone: ["parents", "children"], changed: {}, columns: {} },
  { title: "a column", targets: [named(6)], gone: [], changed: {}, columns: { people: "tag" } },
  {
    title: "two migrations as one",
    targets: [named(2), named(4)],
    gone: ["logs", "orders", "items"],
    changed: {},
    columns: {},
  },
];
