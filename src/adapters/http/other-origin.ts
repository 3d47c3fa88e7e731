/** Whether a request comes from a page of another origin than the site's, as the browser says. A page of another site could
 *  ask for what the visitor sees here; whether it may read the answer is not left to the headers of the site. */
export function isOtherOrigin(header: (name: string) => string | undefined): boolean {
  const site = header('sec-fetch-site');
  // None: the visitor has typed the address.
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  // Browsers without that header, and sites over http. With a page's own origin they send none.
  const origin = header('origin');
  return origin !== undefined && !isOrigin(origin, header);
}

/** Whether an origin is the site's. Behind a proxy the host is in another header, which no page of another site can send. */
export function isOrigin(origin: string, header: (name: string) => string | undefined): boolean {
  if (!URL.canParse(origin)) return false;
  const { host } = new URL(origin);
  const forwarded = header('x-forwarded-host')?.split(',', 1)[0]?.trim();
  return host === header('host') || host === forwarded;
}
