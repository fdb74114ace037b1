import { startWireProxy, type WireProxy } from "../../dev/faults/proxy/wire.ts";

/** A proxy before a server, through which a test watches, delays and breaks what passes; `url` leads through it. */
export async function proxied(url: string): Promise<{ readonly proxy: WireProxy; readonly url: string }> {
  const place = new URL(url);
  const port = Number(place.port);
  const proxy = await startWireProxy(() => port);
  place.port = String(proxy.port);
  return { proxy, url: place.href };
}
