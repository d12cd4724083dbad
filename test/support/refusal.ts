import { AshlarError } from '../../shared/errors.ts';

/** What an act is refused with. @throws where it is not refused, or not by an `AshlarError` */
export function refusal(act: () => unknown): AshlarError {
  try {
    act();
  } catch (error) {
    if (error instanceof AshlarError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}
