import type { OpenDocument } from 'ashlar/client';
import { useConnectionTrouble } from '../connection/connection-state.tsx';
import { Avatar } from './avatar.tsx';
import { usePeopleIn } from './use-people.ts';

/** Who has this document open. */
export function PeopleHere({ document }: { document: OpenDocument | null }) {
  const people = usePeopleIn(document).filter(({ isSelf }) => !isSelf);
  const trouble = useConnectionTrouble();
  // Who is there now is not known without a connection.
  if (trouble !== null) return null;
  if (people.length === 0) return <span className="muted">Only you are here</span>;
  return (
    <span className="here">
      <span className="muted">Also here</span>
      <ul className="avatars" aria-label="In this document">
        {people.map((person) => (
          <li key={person.id}>
            <Avatar user={person} idle={person.idle} />
          </li>
        ))}
      </ul>
    </span>
  );
}
