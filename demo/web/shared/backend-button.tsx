import { type ReactNode, useState } from 'react';
import { mayChangeThings } from '../../people.ts';
import { askBackend } from './ask-backend.ts';
import { usePerson } from './person-context.ts';

/** A button that asks the backend for something, and says so where it fails. */
export function BackendButton({ path, disabled = false, children }: { path: string; disabled?: boolean; children: ReactNode }) {
  const person = usePerson();
  const [failure, setFailure] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const press = async (): Promise<void> => {
    setBusy(true);
    setFailure(null);
    try {
      await askBackend(person.id, 'POST', path);
    } catch {
      setFailure('The backend cannot be reached.');
    }
    setBusy(false);
  };
  const allowed = mayChangeThings(person);
  return (
    <>
      <button
        type="button"
        className="button"
        disabled={disabled || busy || !allowed}
        title={allowed ? undefined : 'Guests may look, not touch'}
        onClick={() => void press()}
      >
        {children}
      </button>
      {failure === null ? null : (
        <span className="failure" role="alert">
          {failure}
        </span>
      )}
    </>
  );
}
