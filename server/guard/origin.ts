/**
 * Whether a page may connect. `cors` does not cover the WebSocket upgrade: without this any site opens a user's socket.
 * @param origin the `Origin` header; none: not a browser, allowed
 * @param host the `Host` header; a page of the same host is allowed
 * @param allowed origins such as `https://app.example.com` or `capacitor://localhost`; `*` allows all, `null` sandboxed pages
 */
export function isOriginAllowed(origin: string | undefined, host: string | undefined, allowed: readonly string[]): boolean {
  if (origin === undefined || allowed.includes('*')) return true;
  const normal = normalize(origin);
  return isSameHost(origin, host) || allowed.some((entry) => normalize(entry) === normal);
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
function normalize(origin: string): string {
  const url = parse(origin);
  return url === null || url.origin === 'null' ? origin.toLowerCase().replace(/\/$/, '') : url.origin;
}

function parse(url: string): URL | null {
  return URL.canParse(url) ? new URL(url) : null;
}
