/**
 * Makes the rule which pages may connect, by the `Origin` header that browsers set and pages cannot: `cors` alone does not cover the
 * WebSocket upgrade, so any site could open its visitor's socket.
 * @param allowed as `isOrigin`: a page of the same host as the request is allowed besides
 * @returns a check of `Origin` and `Host`; requests without an `Origin` pass: those do not come from a page
 */
export function createOriginCheck(allowed: readonly string[]): (origin: string | undefined, host: string | undefined) => boolean {
  const listed = new Set(allowed.map(normalizeOrigin));
  return (origin, host) => {
    if (origin === undefined || listed.has('*')) return true;
    return isSameHost(origin, host) || listed.has(normalizeOrigin(origin));
  };
}

/**
 * Whether a text can stand in a list of allowed origins: `https://app.example.com`, `capacitor://localhost`, `*` for all, `null` for
 * sandboxed pages and files.
 */
export function isOrigin(text: string): boolean {
  return text === '*' || text === 'null' || (/^[a-z][a-z\d+.-]*:\/\/[^\s/?#@\\]+\/?$/i.test(text) && URL.canParse(text));
}

function isSameHost(origin: string, host: string | undefined): boolean {
  const page = parse(origin);
  if (page === null || host === undefined || (page.protocol !== 'http:' && page.protocol !== 'https:')) return false;
  // Read under the page's scheme, so that a port that is the scheme's own may be written or left out.
  const own = parse(`${page.protocol}//${host}`);
  return (
    own !== null && own.host === page.host && own.pathname === '/' && own.username === '' && own.search === '' && own.hash === ''
  );
}

/** `https://App.example.com:443/` as a browser writes it: `https://app.example.com`. Schemes that URL knows no origin of stay as they are. */
export function normalizeOrigin(origin: string): string {
  const url = parse(origin);
  return url === null || url.origin === 'null' ? origin.toLowerCase().replace(/\/$/, '') : url.origin;
}

function parse(url: string): URL | null {
  return URL.canParse(url) ? new URL(url) : null;
}
