import type { OpenDocument } from 'ashlar/client';
import { usePresence } from 'ashlar/react';
import { useConnectionTrouble } from '../connection/connection-state.tsx';
import { Avatar } from './avatar.tsx';
import { usePeopleIn } from './use-people.ts';

/** Who is online in the workspace, and what they look at. */
export function PeopleOnline({ workspace }: { workspace: OpenDocument | null }) {
  const online = usePresence('workspace', (members) => members.filter(({ status }) => status === 'online'), sameUsers);
  const here = usePeopleIn(workspace);
  const trouble = useConnectionTrouble();
  // Who is online now is not known without a connection.
  if (trouble !== null) return null;
  const count = `${online.length} online`;
  return (
    <ul className="avatars" aria-label={count}>
      {online.map((member) => {
        const person = here.find(({ id }) => id === member.userId);
        const where = person?.isSelf ? 'you' : person?.place;
        return (
          <li key={member.userId}>
            <Avatar user={member} idle={person?.idle ?? false} label={where ? `${member.name} (${where})` : member.name} />
          </li>
        );
      })}
    </ul>
  );
}

function sameUsers(
  left: readonly { userId: string; name: string }[],
  right: readonly { userId: string; name: string }[],
): boolean {
  return (
    left.length === right.length &&
    left.every(({ userId, name }, index) => right[index]?.userId === userId && right[index]?.name === name)
  );
}
