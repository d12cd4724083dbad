/** Paths of the HTTP API, behind the prefix. */
export const PATHS = {
  events: '/api/events',
  stats: '/api/ws/stats',
  openapi: '/api/ws/openapi.json',
  docs: '/api/ws/docs',
  healthz: '/healthz',
  readyz: '/readyz',
  metrics: '/metrics',
} as const;

const OWN: ReadonlySet<string> = new Set(Object.values(PATHS).filter((path) => path !== PATHS.metrics));

/**
 * Whether a request belongs to Ashlar's HTTP API (Socket.IO's path apart): exactly its paths, since whatever
 * else lies beside them is the app's.
 * @param url the request's target, with or without a query
 * @param prefix such as `/realtime`; empty for none
 * @param metrics whether `/metrics` is ours: many apps have one of their own
 */
export function isHttpApiPath(url: string, prefix: string, metrics: boolean): boolean {
  const query = url.indexOf('?');
  const path = query === -1 ? url : url.slice(0, query);
  if (!path.startsWith(prefix)) return false;
  const rest = path.slice(prefix.length);
  return OWN.has(rest) || (metrics && rest === PATHS.metrics);
}
