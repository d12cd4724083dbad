import { expect, test } from 'vitest';
import { PrivateTransfers } from '../../server/documents/private-transfers.ts';

test('[5] a user’s unpulled transfers hold so many bytes and no more, and nobody else’s count', () => {
  const transfers = new PrivateTransfers();
  const first = transfers.hold('eve', 12_000_000);
  expect(transfers.hold('eve', 20_000_000)).not.toBeNull();
  expect(transfers.hold('eve', 1)).toBeNull();
  expect(transfers.hold('ada', 20_000_000)).not.toBeNull();
  first?.();
  first?.();
  expect(transfers.hold('eve', 13_000_000), 'let go of once').toBeNull();
  expect(transfers.hold('eve', 12_000_000)).not.toBeNull();
});

test('one transfer is allowed, however large the document', () => {
  expect(new PrivateTransfers().hold('ada', 500_000_000)).not.toBeNull();
});
