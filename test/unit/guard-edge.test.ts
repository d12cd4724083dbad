import { describe, expect, test } from 'vitest';
import { addressKey, createClientAddress } from '../../server/guard/client-address.ts';
import { payloadDepth } from '../../server/guard/payload-depth.ts';
import { createOriginCheck } from '../../server/sockets/origin.ts';

describe('an origin', () => {
  const host = 'app.example.com';

  test.each([
    ['is not needed: no browser', undefined, host, [], true],
    ['of the same host may connect', 'https://app.example.com', host, [], true],
    ['of the same host and port may connect', 'http://localhost:3000', 'localhost:3000', [], true],
    [
      'of the same host with the port of its scheme written may connect',
      'https://app.example.com',
      'app.example.com:443',
      [],
      true,
    ],
    ['of the same host in capitals may connect', 'https://App.Example.com', 'APP.example.com', [], true],
    ['of the same IPv6 host may connect', 'http://[::1]:3000', '[::1]:3000', [], true],
    ['of another host may not', 'https://evil.example', host, [], false],
    ['of another port may not', 'http://localhost:5173', 'localhost:3000', [], false],
    ['of the other scheme’s port may not', 'http://app.example.com', 'app.example.com:443', [], false],
    ['that begins like the host may not', 'https://app.example.com.evil.example', host, [], false],
    ['that ends like the host may not', 'https://evilapp.example.com', host, [], false],
    ['with the host as its user name may not', 'https://app.example.com@evil.example', host, [], false],
    ['with a host header that is a path may not', 'https://evil.example', 'evil.example/app.example.com', [], false],
    ['with a host header that has a user name may not', 'https://evil.example', 'app.example.com@evil.example', [], false],
    ['without a host to compare may not', 'https://app.example.com', undefined, [], false],
    ['that is empty may not', '', host, [], false],
    ['null, of a sandboxed page, may not', 'null', host, [], false],
    ['null may where it is listed', 'null', host, ['null'], true],
    ['that is no URL may not', 'app.example.com', host, [], false],
    ['of a file may not', 'file://', host, ['https://a.example'], false],
    ['on the list may', 'https://shop.example', host, ['https://a.example', 'https://shop.example'], true],
    ['on the list with a slash or capitals may', 'https://shop.example', host, ['https://Shop.example:443/'], true],
    ['on the list under another scheme may not', 'http://shop.example', host, ['https://shop.example'], false],
    ['below a listed one may not', 'https://x.shop.example', host, ['https://shop.example'], false],
    ['of an app’s own scheme may where it is listed', 'capacitor://localhost', host, ['capacitor://localhost'], true],
    ['of an app’s own scheme may not be another’s', 'ionic://localhost', host, ['capacitor://localhost'], false],
    ['of any kind may where * is listed', 'https://evil.example', host, ['*'], true],
    ['of the same host may, whatever the list', 'https://app.example.com', host, ['https://shop.example'], true],
  ] as const)('%s', (_, origin, hostHeader, allowed, expected) => {
    expect(createOriginCheck(allowed)(origin, hostHeader)).toBe(expected);
  });
});

describe('the address of a client', () => {
  const behind = createClientAddress(['10.0.0.0/8', '127.0.0.1', '::1', '2001:db8:ffff::/48']);

  test('is the peer’s where no proxy is trusted, whatever the header says', () => {
    const direct = createClientAddress([]);
    expect(direct('192.0.2.1', '198.51.100.7')).toBe('192.0.2.1');
    expect(direct('127.0.0.1', '198.51.100.7')).toBe('127.0.0.1');
  });

  test('is the rightmost that no trusted proxy has', () => {
    expect(behind('10.1.2.3', '198.51.100.7')).toBe('198.51.100.7');
    expect(behind('10.1.2.3', '6.6.6.6, 198.51.100.7, 10.9.9.9')).toBe('198.51.100.7');
    expect(behind('10.1.2.3', ['6.6.6.6', '198.51.100.7,10.9.9.9'])).toBe('198.51.100.7');
    expect(behind('2001:db8:ffff::7', '2001:db8::1')).toBe('2001:db8::1');
    expect(behind('192.0.2.1', '198.51.100.7')).toBe('192.0.2.1');
  });

  test('is read with ports, brackets and mapped addresses', () => {
    expect(behind('::ffff:127.0.0.1', '198.51.100.7:4711')).toBe('198.51.100.7');
    expect(behind('127.0.0.1', '[2001:DB8::1]:4711')).toBe('2001:db8::1');
    expect(behind('127.0.0.1', '::ffff:198.51.100.7')).toBe('198.51.100.7');
    expect(behind('fe80::1%eth0', undefined)).toBe('fe80::1');
  });

  test('ends at the last proxy where the header says nothing that can be believed', () => {
    expect(behind('127.0.0.1', 'unknown')).toBe('127.0.0.1');
    expect(behind('127.0.0.1', '198.51.100.7, not-an-address, 10.9.9.9')).toBe('10.9.9.9');
    expect(behind('127.0.0.1', '')).toBe('127.0.0.1');
    expect(behind('127.0.0.1', '10.1.1.1, 10.2.2.2')).toBe('10.1.1.1');
    expect(behind('127.0.0.1', undefined)).toBe('127.0.0.1');
    expect(behind(undefined, '198.51.100.7')).toBe('unknown');
  });

  test('is at the right end, however many entries a client has put before it', () => {
    expect(behind('10.1.2.3', `${'6.6.6.6, '.repeat(100)}198.51.100.7, 10.9.9.9`)).toBe('198.51.100.7');
  });

  test('is found in a header of a megabyte without delay', () => {
    expect(behind('127.0.0.1', `${'10.0.0.1,'.repeat(100_000)}10.0.0.2`)).toBe('10.0.0.1');
  });

  test.each(['10.0.0.0/33', 'localhost', '10.0.0.0/8/8', '::1/129', '10.0.0.0/', '*', ''])('trusts no %j', (entry) => {
    expect(() => createClientAddress([entry])).toThrow(/trustedProxies/);
  });

  test.each([
    ['192.0.2.1', '192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0db8:0001:0002::', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    ['1::', '1:0:0:0::/64'],
    ['1:2:3:4:5:6:7::', '1:2:3:4::/64'],
    ['64:ff9b::192.0.2.1', '64:ff9b:0:0::/64'],
    ['1:2::3:4:5:192.0.2.1', '1:2:0:3::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['unknown', 'unknown'],
  ])('%s counts under %s', (address, key) => {
    expect(addressKey(address)).toBe(key);
  });
});

describe('the depth of a payload', () => {
  test.each([
    [1, 0],
    [null, 0],
    ['[[]]', 0],
    [undefined, 0],
    [{}, 1],
    [[], 1],
    [{ a: 1, b: 'c' }, 1],
    [{ a: { b: [] }, c: 1 }, 3],
    [[[[]], {}], 3],
    [{ bytes: new Uint8Array(1_000), more: new ArrayBuffer(8) }, 1],
    [JSON.parse('{"__proto__":{"a":{}}}'), 3],
  ])('%j is %i', (value, depth) => {
    expect(payloadDepth(value, 10)).toBe(depth);
  });

  test('is not counted beyond the bound, however deep', () => {
    let deep: unknown = [];
    for (let level = 1; level < 100_000; level++) deep = [deep];
    expect(payloadDepth(deep, 100_000)).toBe(100_000);
    expect(payloadDepth(deep, 8)).toBe(9);
  });

  test('ends for values that hold themselves', () => {
    const loop: Record<string, unknown> = {};
    loop.left = loop;
    loop.right = { loop };
    expect(payloadDepth(loop, 64)).toBe(65);
  });
});
