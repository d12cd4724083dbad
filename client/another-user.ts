import type { Readable } from './readable.ts';

/**
 * Tells when somebody else has signed in on the client: what one user was told is not the next one's.
 * @param forget called with each user that is not the one before
 * @returns begins to watch, and looks at once, in case another came while nobody watched; what it returns ends that
 */
export function onAnotherUser(user: Readable<{ readonly id: string } | null>, forget: () => void): () => () => void {
  // Once there was a user there is always one.
  let known: string | undefined;
  const look = (): void => {
    const id = user.get()?.id;
    if (known && known !== id) forget();
    known = id;
  };
  return () => {
    look();
    return user.subscribe(look);
  };
}
