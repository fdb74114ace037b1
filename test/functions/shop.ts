import type { Pair } from "../rollback/helpers.ts";

/** A migration that others build on, one that destroys rows when rolled back, and one that depends on it. */
export const customers: Pair = {
  name: "20250101000000_customers",
  up: `create table customers (id int primary key, name text not null);
    insert into customers select n, 'customer ' || n from generate_series(1, 50) n;`,
  down: "drop table customers;",
};

export const orders: Pair = {
  name: "20250102000000_orders",
  up: `create table orders (id bigint generated always as identity primary key, customer_id int not null references customers,
      cents int not null);
    create view large_orders as select * from orders where cents > 1000;
    insert into orders (customer_id, cents) select 1 + n % 50, n * 7 from generate_series(1, 400) n;`,
  down: "drop view large_orders; drop table orders;",
};

export const broken: Pair = {
  name: "20250103000000_broken",
  up: "create table broken (id int);",
  down: "drop table if not exists broken;",
};
