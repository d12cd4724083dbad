import { expect, test } from 'vitest';
import { createOriginCheck, isOrigin } from '../../server/sockets/origin.ts';

test('only listed origins pass, whatever their spelling', () => {
  const check = createOriginCheck(['https://App.example.com', 'http://localhost:5173/']);
  expect(check('https://app.example.com', 'api.example.com')).toBe(true);
  expect(check('https://app.example.com:443', 'api.example.com')).toBe(true);
  expect(check('http://localhost:5173', 'api.example.com')).toBe(true);
  for (const origin of [
    'http://app.example.com',
    'https://app.example.com.evil.example',
    'https://evil.example/https://app.example.com',
    'https://other.example.com',
    'null',
    '',
    'https://',
  ]) {
    expect(check(origin, 'api.example.com'), origin).toBe(false);
  }
});

test('with an empty list only pages of the same host pass', () => {
  const check = createOriginCheck([]);
  expect(check('https://app.example.com', 'app.example.com')).toBe(true);
  expect(check('https://app.example.com', 'app.example.com:443')).toBe(true);
  expect(check('http://127.0.0.1:3000', '127.0.0.1:3000')).toBe(true);
  expect(check('http://127.0.0.1:3001', '127.0.0.1:3000')).toBe(false);
  expect(check('https://evil.example', 'app.example.com')).toBe(false);
  expect(check('https://app.example.com', undefined)).toBe(false);
  expect(check('null', 'null')).toBe(false);
});

test('a star lets every page pass, and a request without an Origin is no page', () => {
  expect(createOriginCheck(['*'])('null', 'a')).toBe(true);
  expect(createOriginCheck([])(undefined, 'a')).toBe(true);
  expect(createOriginCheck(['https://a.example'])(undefined, 'a')).toBe(true);
});

test('what can be listed is an origin: a scheme and a host, without a path', () => {
  for (const text of [
    '*',
    'null',
    'https://app.example.com',
    'http://localhost:5173/',
    'http://[::1]:80',
    'capacitor://localhost',
  ])
    expect(isOrigin(text), text).toBe(true);
  for (const text of [
    '',
    'app.example.com',
    'https://',
    'https://a.example/path',
    'https://a.example?x',
    'https://u@a.example',
    '* ',
  ])
    expect(isOrigin(text), text).toBe(false);
});
