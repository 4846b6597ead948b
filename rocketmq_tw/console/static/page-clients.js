// The connected producers and consumers.

import { to } from "/app.js";
import { h, name } from "/dom.js";
import { listing } from "/listing.js";

export const heading = () => ({ title: "Clients" });

const links = (groups, address) => (groups.length ? groups.map((g, i) => [i ? ", " : "", h("a", { href: address(g) }, name(g))]) : "–");

const COLUMNS = [
  { head: "Client", kind: "name", cell: (c) => name(c.client_id) },
  { head: "Address", kind: "nowrap", cell: (c) => name(c.address) },
  { head: "Program", kind: "nowrap", cell: (c) => name(`${c.language} ${c.version}`) },
  { head: "Consumes in", kind: "name", cell: (c) => links(c.consumes, (g) => to("client", { group: g, id: c.client_id })) },
  { head: "Produces in", kind: "name", cell: (c) => name(c.produces.join(", ") || "–") },
  { head: "Brokers", kind: "name", cell: (c) => name(c.brokers.join(", ")) },
];

export default function page({ root, query, signal, refresh }) {
  return listing({ path: "clients", label: "Clients", columns: COLUMNS, query, root, signal, refresh, empty: "No client is connected." });
}
