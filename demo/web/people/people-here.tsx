import type { OpenDocument } from 'ashlar/client';
import { useConnectionTrouble } from '../connection/connection-state.tsx';
import { Avatar } from './avatar.tsx';
import { usePeopleIn } from './use-people.ts';
import { whyFaded } from './why-faded.ts';

/** Who has this document open; without a connection, who had it. */
export function PeopleHere({ document }: { document: OpenDocument | null }) {
  const people = usePeopleIn(document).filter(({ isSelf }) => !isSelf);
  const isConnected = useConnectionTrouble() === null;
  if (people.length === 0) return isConnected ? <span className="muted">Only you are here</span> : null;
  return (
    <span className="here">
      <span className="muted">{isConnected ? 'Also here' : 'Were here'}</span>
      <ul className="avatars" aria-label={isConnected ? 'In this document' : 'In this document when last heard of'}>
        {people.map((person) => (
          <li key={person.id}>
            <Avatar user={person} faded={whyFaded(person, isConnected)} />
          </li>
        ))}
      </ul>
    </span>
  );
}
