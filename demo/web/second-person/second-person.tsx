import { useState } from 'react';
import { PEOPLE } from '../../people.ts';
import { Icon } from '../shared/icon.tsx';

/** The same app in an inner frame, signed in as somebody else. @param place where it opens, such as `#/board` */
export function SecondPerson({ self, place, onClose }: { self: string; place: string; onClose: () => void }) {
  const others = PEOPLE.filter(({ id }) => id !== self);
  const [id, setId] = useState(others[0]?.id ?? '');
  // Where the visitor stood when the frame was opened: later it goes its own ways.
  const [start] = useState(place);
  return (
    <aside className="second-person" aria-label="Second person" data-focus-next="#second-person">
      <header>
        <label>
          <span>You are also</span>
          <select value={id} onChange={({ target }) => setId(target.value)}>
            {others.map((person) => (
              <option key={person.id} value={person.id}>
                {person.name}
              </option>
            ))}
          </select>
        </label>
        <button type="button" className="button icon-button" onClick={onClose} aria-label="Close the second person">
          <Icon name="close" />
        </button>
      </header>
      <iframe key={id} src={`/?as=${id}${start}`} title="The workspace as a second person" />
    </aside>
  );
}
