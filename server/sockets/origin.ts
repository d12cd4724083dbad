/** Whether a page of this origin may connect. @param host the request's `Host` header */
export type OriginCheck = (origin: string | undefined, host: string | undefined) => boolean;

/**
 * Decides by the `Origin` header, which browsers set and pages cannot: `cors` alone does not cover WebSocket, so any site
 * could open its visitor's socket.
 * @param allowed origins such as `https://app.example.com`; `*` allows all; empty: only pages of the same host as the request
 * @returns a check that lets requests without an `Origin` pass: those do not come from a page
 */
export function createOriginCheck(allowed: readonly string[]): OriginCheck {
  const all = allowed.includes('*');
  const listed = new Set(allowed.map((origin) => parse(origin)?.origin ?? origin));
  return (origin, host) => {
    if (all || origin === undefined) return true;
    const url = parse(origin);
    // `null` (sandboxed frames, files) and anything that is no URL.
    if (url === undefined) return false;
    if (allowed.length > 0) return listed.has(url.origin);
    return host !== undefined && parse(`${url.protocol}//${host}`)?.host === url.host;
  };
}

function parse(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}
