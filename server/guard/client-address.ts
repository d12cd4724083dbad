import { BlockList, isIP, isIPv4 } from 'node:net';
import { AshlarError } from '../../shared/errors.ts';

/** Most entries of `X-Forwarded-For` looked at, from the right: more proxies than that stand in no row. */
const MAX_HOPS = 32;

/**
 * Finds the address that limits count by.
 * @param peer the address of the TCP connection
 * @param forwardedFor the `X-Forwarded-For` header as Node gives it
 * @returns an IP address, IPv4 where it was an IPv4-mapped one; `unknown` where the connection has none (a Unix socket, or gone)
 */
export type ClientAddress = (peer: string | undefined, forwardedFor: string | readonly string[] | undefined) => string;

/**
 * Makes the rule: the peer, or, where the peer is a trusted proxy, the rightmost entry of `X-Forwarded-For` that is not one.
 * What stands left of that one was written by the client and is never believed.
 * @param trustedProxies addresses and CIDR ranges: `10.0.0.7`, `10.0.0.0/8`, `::1`
 * @throws AshlarError `invalid-options` for an entry that is neither
 */
export function createClientAddress(trustedProxies: readonly string[]): ClientAddress {
  const trusted = new BlockList();
  for (const entry of trustedProxies) trust(trusted, entry);
  const isTrusted = (address: string): boolean => trusted.check(address, isIPv4(address) ? 'ipv4' : 'ipv6');

  return (peer, forwardedFor) => {
    let address = parseAddress(peer ?? '');
    if (address === null) return 'unknown';
    if (forwardedFor === undefined || !isTrusted(address)) return address;
    const header = typeof forwardedFor === 'string' ? forwardedFor : forwardedFor.join(',');
    for (const hop of header.split(',').slice(-MAX_HOPS).reverse()) {
      const next = parseAddress(hop.trim());
      // A trusted proxy that says "unknown" or worse: the proxy itself is the last address known.
      if (next === null) return address;
      address = next;
      if (!isTrusted(address)) return address;
    }
    return address;
  };
}

/**
 * What an address is counted under: an IPv4 address alone, an IPv6 address with its /64, since one customer has all of those.
 * @param address as `ClientAddress` returns it
 */
export function addressKey(address: string): string {
  if (isIP(address) !== 6) return address;
  const [head = '', tail] = address.replace(/%.*$/, '').split('::');
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  // An IPv4 tail stands for two groups; it never reaches the first four where it is followed through `::`.
  const length = right.length + (right.at(-1)?.includes('.') ? 1 : 0);
  const groups =
    tail === undefined ? left : [...left, ...Array<string>(Math.max(0, 8 - left.length - length)).fill('0'), ...right];
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}

/** An address out of a header or a socket: brackets, port and zone off, IPv4-mapped as IPv4. Null: none. */
function parseAddress(text: string): string | null {
  const bare = /^\[([^\]]*)\](:\d+)?$/.exec(text)?.[1] ?? (/^[\d.]+:\d+$/.test(text) ? text.slice(0, text.indexOf(':')) : text);
  const address = bare.replace(/%.*$/, '').toLowerCase();
  const mapped = /^::ffff:([\d.]+)$/.exec(address)?.[1] ?? address;
  return isIP(mapped) === 0 ? null : mapped;
}

function trust(list: BlockList, entry: string): void {
  const range = parseRange(entry);
  if (range === null) {
    throw new AshlarError('invalid-options', {
      detail: `trustedProxies: "${entry}": an IP address, or a range such as 10.0.0.0/8`,
    });
  }
  list.addSubnet(range.address, range.prefix, isIPv4(range.address) ? 'ipv4' : 'ipv6');
}

/** Whether a text is an IP address or a range of them, as `trustedProxies` takes them. */
export function isAddressRange(text: string): boolean {
  return parseRange(text) !== null;
}

function parseRange(text: string): { address: string; prefix: number } | null {
  const [start = '', bits, ...rest] = text.trim().split('/');
  const address = parseAddress(start);
  if (address === null || rest.length > 0) return null;
  const width = isIPv4(address) ? 32 : 128;
  const prefix = bits === undefined ? width : /^\d{1,3}$/.test(bits) ? Number(bits) : Number.NaN;
  return prefix <= width ? { address, prefix } : null;
}
