import { type ReactNode, useId, useState } from 'react';
import { askBackend } from './ask-backend.ts';
import { usePerson } from './person-context.ts';
import { useWhyNot } from './use-why-not.ts';

/** A button that asks the backend for something, and says so where it fails. Where it can't be pressed it says why, and keeps the focus. */
export function BackendButton({ path, disabled = false, children }: { path: string; disabled?: boolean; children: ReactNode }) {
  const person = usePerson();
  const whyNot = useWhyNot();
  const reason = useId();
  const [failure, setFailure] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const idle = disabled || busy || whyNot !== null;
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
  return (
    <>
      <button
        type="button"
        className="button"
        aria-disabled={idle}
        {...(whyNot === null ? {} : { title: whyNot, 'aria-describedby': reason })}
        onClick={() => {
          if (!idle) void press();
        }}
      >
        {children}
      </button>
      {whyNot === null ? null : (
        <span id={reason} hidden>
          {whyNot}
        </span>
      )}
      {failure === null ? null : (
        <span className="failure" role="alert">
          {failure}
        </span>
      )}
    </>
  );
}
