import type { OpenDocument } from 'ashlar/client';
import { usePresence } from 'ashlar/react';
import { useConnectionTrouble } from '../connection/connection-state.tsx';
import { usePerson } from '../shared/person-context.ts';
import { Avatar } from './avatar.tsx';
import { usePeopleIn } from './use-people.ts';
import { whyFaded } from './why-faded.ts';

/** Who is online in the workspace, and what they look at; without a connection, who was. */
export function PeopleOnline({ workspace }: { workspace: OpenDocument | null }) {
  const online = usePresence('workspace', (members) => members.filter(({ status }) => status === 'online'), sameUsers);
  const here = usePeopleIn(workspace);
  const isConnected = useConnectionTrouble() === null;
  const { id: ownId } = usePerson();
  // Where there never was a connection, nobody was heard of.
  if (!isConnected && online.length === 0) return null;
  return (
    <ul className="avatars" aria-label={isConnected ? `${online.length} online` : `${online.length} online when last heard of`}>
      {oneselfFirst(online, ownId).map((member) => {
        const person = here.find(({ id }) => id === member.userId);
        const isSelf = member.userId === ownId;
        const where = isSelf ? 'you' : person?.place;
        return (
          <li key={member.userId}>
            <Avatar
              user={member}
              faded={whyFaded({ isSelf, idle: person?.idle ?? false }, isConnected)}
              label={where ? `${member.name} (${where})` : member.name}
            />
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

/** In an order that a reconnect does not change. */
function oneselfFirst<One extends { readonly userId: string; readonly name: string }>(
  members: readonly One[],
  ownId: string,
): One[] {
  return members.toSorted(
    (left, right) => Number(right.userId === ownId) - Number(left.userId === ownId) || left.name.localeCompare(right.name),
  );
}
