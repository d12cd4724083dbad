import { expect, test } from 'vitest';
import { Erasing } from '../../server/guard/erasing.ts';
import { userRoom } from '../../shared/room-name.ts';

test('a user who is erased twice at once is kept out until both are done, and its room with it; nobody else is', () => {
  const erasing = new Erasing();
  const refused = (userId: string) => {
    try {
      erasing.refuse(userId);
      return erasing.hasRoom(userRoom(userId));
    } catch {
      return erasing.hasRoom(userRoom(userId)) ? 'refused' : 'refused, but for its room';
    }
  };
  const [first, second] = [erasing.begin('ada'), erasing.begin('ada')];
  expect([refused('ada'), refused('bob')]).toEqual(['refused', false]);
  first();
  expect(refused('ada')).toBe('refused');
  second();
  expect(refused('ada')).toBe(false);
});
